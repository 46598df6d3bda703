import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { ownOrigin } from '../../page/origin.js'
import { requireVisitor } from '../../page/visitor.js'

const KEY = 'HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\WebClient\\Parameters'

/** For Windows: raises the limits of its WebDAV client. What each value does stands in the file. */
export function registryFileRoutes({ config }: Pick<WebDependencies, 'config'>): Router {
  const router = Router()
  const originOf = ownOrigin(config.publicUrl)
  router.get('/connect/windows.reg', requireVisitor, (request, response) => {
    response.set({
      'Content-Type': 'application/octet-stream',
      'Content-Disposition': 'attachment; filename="ftpcluster-windows.reg"',
      'Cache-Control': 'private, no-store',
    })
    response.send(registryFile(originOf(request).startsWith('https:')))
  })
  return router
}

export function registryFile(secure: boolean): string {
  const lines = [
    'Windows Registry Editor Version 5.00',
    '',
    '; Limits of the WebDAV client of Windows. They count after a restart of the service WebClient, or of Windows.',
    '',
    `[${KEY}]`,
    '; The largest file that may be opened or copied: 4 GiB, the most that Windows can, instead of 47 MiB.',
    '"FileSizeLimitInBytes"=dword:ffffffff',
    '; The longest list of one folder: 100 MB instead of 1 MB, which is full at about 2500 files.',
    '"FileAttributesLimitInBytes"=dword:05f5e100',
  ]
  if (!secure) {
    lines.push(
      '; Send passwords over plain http too. Anybody on the network can read them then: better turn on TLS.',
      '"BasicAuthLevel"=dword:00000002',
    )
  }
  return [...lines, ''].join('\r\n')
}
