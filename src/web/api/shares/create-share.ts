import { newShare } from '../../../shares/share-input.js'
import { created } from '../answers.js'
import { FILE_ERRORS, pathInServer, pathOf, treeOf } from '../files/file-resource.js'
import { operation } from '../operation.js'
import { endsAtInBody, shareSchema, tagOfShare, viewOfShare } from './share-resource.js'

export const createShare = operation({
  id: 'shares.create',
  method: 'POST',
  path: '/shares',
  summary: 'Share a file or folder with another user',
  description:
    'For reading, in the browser, through your own permission: it ends with it. A name that nobody has gets the same answer ' +
    'as one that cannot be shared with.',
  scope: 'files:write',
  body: newShare.extend({ path: pathInServer, endsAt: endsAtInBody }),
  example: { path: '/s2/a.txt', recipient: 'anna', endsAt: '2090-12-31', note: 'As we said' },
  etag: true,
  responses: { 201: { description: 'It is shared.', body: shareSchema } },
  errors: FILE_ERRORS,
  async handle(call) {
    const { user, actor, services, body, signal } = call
    const { path, type } = await (await treeOf(call)).stat(pathOf(body.path), { signal })
    const share = await services.shares.create(user.userId, { ...body, path }, type, actor)
    const etag = tagOfShare(share, user.userId)
    return created(`/api/v1/shares/${share.id}`, viewOfShare(share, user.userId), { etag })
  },
})
