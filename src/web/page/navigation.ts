export interface NavigationItem {
  readonly href: string
  readonly text: string
  readonly icon: string
}

export interface NavigationGroup {
  readonly title: string
  readonly items: readonly NavigationItem[]
}

const OWN: NavigationGroup = {
  title: 'Drive',
  items: [
    { href: '/dashboard', text: 'Dashboard', icon: 'grid' },
    { href: '/files', text: 'Files', icon: 'folder2' },
    { href: '/shared', text: 'Shared', icon: 'share' },
    { href: '/connect', text: 'Connect', icon: 'hdd-network' },
    { href: '/account', text: 'Account', icon: 'person-circle' },
    { href: '/api/docs', text: 'API', icon: 'code-slash' },
  ],
}

const ADMIN: NavigationGroup = {
  title: 'Administration',
  items: [
    { href: '/users', text: 'Users', icon: 'people' },
    { href: '/servers', text: 'Servers', icon: 'server' },
    { href: '/permissions', text: 'Permissions', icon: 'key' },
    { href: '/sync', text: 'Sync', icon: 'arrow-repeat' },
    { href: '/review', text: 'Access review', icon: 'clipboard-check' },
    { href: '/activity', text: 'Activity', icon: 'activity' },
    { href: '/audit', text: 'Audit log', icon: 'journal-text' },
  ],
}

/** What stands in the side bar. */
export function navigationFor({ admin }: { readonly admin: boolean }): readonly NavigationGroup[] {
  return admin ? [OWN, ADMIN] : [OWN]
}

/** Whether a page at `path` belongs to `item`. */
export function isCurrent(item: NavigationItem, path: string): boolean {
  return path === item.href || path.startsWith(`${item.href}/`)
}
