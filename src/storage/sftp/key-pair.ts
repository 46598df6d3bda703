import ssh2 from 'ssh2'

/**
 * Ed25519, in OpenSSH's forms: the private half as a file, the public one as a line of authorized_keys. One in 170 that ssh2
 * makes cannot be read, not even by ssh2: such a one is made anew.
 */
export function newKeyPair(comment = 'ftpcluster'): { readonly privateKey: string; readonly publicKey: string } {
  for (;;) {
    const { private: privateKey, public: publicKey } = ssh2.utils.generateKeyPairSync('ed25519', { comment })
    if (publicKeyOf(privateKey) !== undefined) return { privateKey, publicKey }
  }
}

/** The public half of a private key without passphrase, as a line of authorized_keys; undefined when it cannot be read. */
export function publicKeyOf(privateKey: string): string | undefined {
  const parsed = ssh2.utils.parseKey(privateKey)
  return parsed instanceof Error ? undefined : `${parsed.type} ${parsed.getPublicSSH().toString('base64')}`
}
