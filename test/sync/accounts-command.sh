#!/bin/sh
# An admin's own commands, as simple as they can be: Unix accounts of one machine. $1 is the step.
set -eu
PATH=$PATH:/usr/sbin:/sbin
step=$1 name=${2:-} home=${3:-} mark=${4:-}
there() { getent passwd "$name" >/dev/null; }
case $step in
read)
  getent passwd | {
    sep='['
    while IFS=: read -r name _ uid _ comment home _; do
      hash=$(getent shadow "$name" | cut -d: -f2)
      case $hash in '!'*) state=disabled ;; *) state=enabled ;; esac
      if [ "$(stat -c %u "$home" 2>/dev/null)" = "$uid" ]; then ready=true; else ready=false; fi
      printf '%s{"name":"%s","uid":%s,"state":"%s","home":"%s","homeReady":%s,"mark":"%s"}' \
        "$sep" "$name" "$uid" "$state" "$home" "$ready" "${comment%%,*}"
      sep=','
    done
    echo ']'
  }
  ;;
create)
  there || useradd -M -d "$home" -s /usr/sbin/nologin -c "$mark" "$name"
  IFS= read -r password
  printf '%s:%s\n' "$name" "$password" | chpasswd
  ;;
secret)
  IFS= read -r password
  locked=$(getent shadow "$name" | cut -d: -f2 | cut -c1)
  printf '%s:%s\n' "$name" "$password" | chpasswd
  [ "$locked" != '!' ] || usermod -L "$name"
  ;;
home)
  owner=$(stat -c %u "$home" 2>/dev/null || echo 0)
  [ "$owner" = 0 ] || [ "$owner" = "$(id -u "$name")" ] || exit 3
  install -d -m 0700 -o "$name" -g "$name" "$home"
  ;;
enable) usermod -U "$name" 2>/dev/null || true ;;
disable) usermod -L "$name" ;;
remove) userdel "$name" ;;
*) exit 64 ;;
esac
