import { Router, type Request, type Response } from 'express'
import { addressMatcher } from '../../../config/options.js'
import { HttpError } from '../../../http/errors.js'
import type { Node } from '../../../vfs/node.js'
import { parentPath, readPath } from '../../../vfs/virtual-path.js'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { EMPTY_FORM, submit, textsOf, type FormState } from '../../page/form.js'
import { page } from '../../page/page.js'
import { requireVisitor, visitorOf } from '../../page/visitor.js'
import { save } from '../../session/session.js'
import { KIND_ICONS, kindOf } from '../files/file-kind.js'
import { hrefOf } from '../files/file-path.js'
import { openTree } from '../files/files-request.js'
import { newShareOf } from './share-form.js'

type Dependencies = Pick<WebDependencies, 'shares' | 'treeFor' | 'config'>

/** `GET /shared/new?path=/alias/…` asks with whom; `POST /shared` shares. */
export function newShareRoutes({ shares, treeFor, config }: Dependencies): Router {
  const router = Router()
  const files = { treeFor, isProxy: addressMatcher(config.trustProxy) }

  /** What is to be shared, seen by who shares it. @throws HttpError 400; whatever the tree throws */
  const look = async (request: Request, response: Response, path: unknown): Promise<Node> => {
    const { tree, call } = await openTree(files, request, response)
    return tree.stat(pathIn(path), call)
  }

  const showForm = async (
    request: Request,
    response: Response,
    node: Node,
    form: FormState = EMPTY_FORM,
    status = 200,
  ) => {
    const folder = node.type === 'directory'
    const data = {
      title: `Share ${node.name}`,
      node,
      form,
      symbol: KIND_ICONS[folder ? 'folder' : kindOf(node.name)],
      back: folder ? hrefOf(parentPath(node.path), true) : hrefOf(node.path, false),
      today: new Date().toISOString().slice(0, 10),
    }
    await page(request, response, 'shared/new', data, status)
  }

  router.get('/shared/new', requireVisitor, async (request, response) => {
    await showForm(request, response, await look(request, response, request.query['path']))
  })

  router.post('/shared', requireVisitor, async (request, response) => {
    const node = await look(request, response, textsOf(request.body)['path'])
    const wanted = { ...newShareOf(request.body), path: node.path }
    const { userId } = visitorOf(request)
    const result = await submit(request.body, () => shares.create(userId, wanted, node.type, actorOf(request)))
    if (!result.done) {
      await showForm(request, response, node, result.form, 422)
      return
    }
    flash(request, { kind: 'success', text: `${node.name} is shared with ${result.value.recipient}.` })
    await save(request)
    response.redirect(303, '/shared/by-me')
  })
  return router
}

function pathIn(text: unknown): string {
  const path = typeof text === 'string' && text.startsWith('/') ? readPath(text) : undefined
  if (path === undefined) throw new HttpError(400, 'BAD_PATH', 'This is not the path of a file or folder.')
  return path
}
