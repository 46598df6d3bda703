import { discardBody } from '../../http/body.js'
import { sendIfFile } from '../../http/send-file.js'
import { PAGE_HEADERS, PAGE_TYPE, collectionPage } from '../collection-page.js'
import { checkIf } from '../conditions.js'
import { pathInTree, type Exchange } from '../exchange.js'
import { streamText } from '../stream-text.js'
import { hrefOf } from '../tree-path.js'
import { verb } from '../verb.js'

export const get = verb((exchange) => sendResource(exchange))

/** GET and HEAD: a file as it is; a folder as a page, since browsers and some clients take anything but 200 for a failure. */
export async function sendResource(exchange: Exchange): Promise<void> {
  const { request, response, tree, call } = exchange
  discardBody(request, response)
  await checkIf(exchange)
  const path = pathInTree(exchange)
  const node = await sendIfFile({ request, response, tree, path, call })
  if (node.type === 'file') return
  for (const [name, value] of Object.entries(PAGE_HEADERS)) response.setHeader(name, value)
  if (request.method === 'HEAD') {
    response.setHeader('Content-Type', PAGE_TYPE)
    response.writeHead(200).end()
    return
  }
  const { members } = await tree.list(path, call)
  response.setHeader('Content-Type', PAGE_TYPE)
  await streamText(response, 200, collectionPage(path, hrefOf(path, true), members), call.signal)
}
