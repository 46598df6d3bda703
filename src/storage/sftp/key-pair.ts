import ssh2 from 'ssh2'

/** Ed25519, in OpenSSH's forms: the private half as a file, the public one as a line of authorized_keys. */
export function newKeyPair(comment: string): { readonly privateKey: string; readonly publicKey: string } {
  const { private: privateKey, public: publicKey } = ssh2.utils.generateKeyPairSync('ed25519', { comment })
  return { privateKey, publicKey }
}

/** The public half of a private key without passphrase, as a line of authorized_keys; undefined when it cannot be read. */
export function publicKeyOf(privateKey: string): string | undefined {
  const parsed = ssh2.utils.parseKey(privateKey)
  return parsed instanceof Error ? undefined : `${parsed.type} ${parsed.getPublicSSH().toString('base64')}`
}
