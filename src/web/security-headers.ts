import helmet from 'helmet'
import type { WebDependencies } from './dependencies.js'

const YEAR = 365 * 24 * 3600

/** Headers of every page. Files of users get stricter ones in `http/send-file.ts`. */
export function securityHeaders({ tls, publicUrl }: Pick<WebDependencies['config'], 'tls' | 'publicUrl'>) {
  // A browser that was told HSTS lets nobody click past a self-signed certificate.
  const trustedTls = tls.mode === 'files' || publicUrl?.startsWith('https:') === true
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        // Bootstrap's style sheet holds its icons as data URLs.
        imgSrc: ["'self'", 'data:', 'blob:'],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
        formAction: ["'self'"],
      },
    },
    strictTransportSecurity: trustedTls ? { maxAge: YEAR, includeSubDomains: true } : false,
    referrerPolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
  })
}
