import type { Request, Response } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { EMPTY_FORM, type FormState } from '../../page/form.js'
import { page } from '../../page/page.js'
import { permissionFormOf } from './permission-form.js'

export type PermissionPageDependencies = Pick<WebDependencies, 'permissions' | 'servers'>

/** One permission with its two forms. @throws UnknownObjectError */
export async function showPermission(
  request: Request,
  response: Response,
  { permissions, servers }: PermissionPageDependencies,
  id: number,
  refused: { readonly fields?: FormState; readonly credentials?: FormState } = {},
): Promise<void> {
  const permission = await permissions.get(id)
  const { protocol } = await servers.get(permission.serverId)
  const { fields = permissionFormOf(permission), credentials = EMPTY_FORM } = refused
  const title = `${permission.username} on ${permission.alias}`
  const data = { permission, protocol, fields, credentials, now: new Date() }
  const status = Object.keys(refused).length > 0 ? 422 : 200
  await page(request, response, 'permissions/permission', { title, ...data }, status)
}
