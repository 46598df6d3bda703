import { requestIdOf } from '../../http/request-id.js'
import { encodePath } from '../../http/url-path.js'
import { isStorageError } from '../../storage/errors.js'
import type { FreeSpace } from '../../storage/driver.js'
import type { Node, NodeListing } from '../../vfs/node.js'
import type { DeadProperty } from '../../vfs/ports.js'
import { XML_TYPE } from '../answers.js'
import type { Client } from '../client.js'
import { checkIf } from '../conditions.js'
import { DavError } from '../dav-error.js'
import { parseDepth } from '../depth.js'
import { headerOf, singleHeaderOf, pathInTree, type Exchange } from '../exchange.js'
import { IN_ALLPROP, IN_SHORTEST_ALLPROP, IN_SHORT_ALLPROP } from '../live-properties.js'
import { lockDiscovery } from '../lock-xml.js'
import { ALLPROP, parsePropfind } from '../propfind-xml.js'
import { rendererFor, type RenderOptions, type Renderer } from '../property-renderer.js'
import { sendChunks, streamText } from '../stream-text.js'
import { hrefOf } from '../tree-path.js'
import { verb } from '../verb.js'
import { readXmlBody } from '../xml-body.js'
import { XML_HEAD } from '../xml-writer.js'

/** Bytes of a member in the short allprop, without its href. */
const SHORT_MEMBER = 300
/** Characters rendered between two looks at the client's back-pressure. */
const BATCH = 8192

/** RFC 4918 section 9.1. A missing Depth counts as 1, as with SabreDAV: nobody means to walk a whole server. */
export const propfind = verb(async (exchange) => {
  const { request, response, call, client } = exchange
  const depth = parseDepth(singleHeaderOf(request, 'depth')) ?? '1'
  const body = await readXmlBody(exchange)
  const asked = body ? parsePropfind(body) : ALLPROP
  if (depth === 'infinity') {
    throw new DavError(403, 'INFINITE_DEPTH', 'Depth: infinity is not offered here.', {
      condition: 'propfind-finite-depth',
    })
  }
  await checkIf(exchange)
  const folder = await lookUp(exchange, depth)
  const options: RenderOptions = { minimal: wantsMinimal(exchange), allprop: allpropFor(client, folder) }
  const renderer = rendererFor(asked, options)
  const facts = await factsFor(exchange, folder, depth, renderer)
  response.setHeader('Content-Type', XML_TYPE)
  const { locks, space } = renderer.needs
  if (folder.listing === undefined || locks || space) {
    await streamText(response, 207, render(exchange, folder, renderer, facts), call.signal)
    return
  }
  const known = exchange.rendered.find(folder.listing, facts.stored, [folder.href, asked, options])
  if (known.body) return sendChunks(response, 207, known.body)
  await streamText(response, 207, render(exchange, folder, renderer, facts), call.signal, (chunk) => known.add(chunk))
  known.keep()
})

/** A resource and its members with the URLs to show: some clients drop members whose URL is not below the one they asked. */
interface Folder extends NodeListing {
  /** The folder as it was listed; undefined for one resource, which is looked at anew each time. */
  readonly listing?: NodeListing | undefined
  readonly href: string
  readonly hrefOfMember: (member: Node) => string
}

async function lookUp(exchange: Exchange, depth: '0' | '1'): Promise<Folder> {
  const { treePath, urlPath, tree, call } = exchange
  if (treePath === undefined && urlPath === '/') {
    // Where clients start to walk: it holds the drive and nothing else.
    const root = await tree.stat('/', call)
    const members = depth === '1' ? [root] : []
    return { self: root, members, href: '/', hrefOfMember: () => hrefOf('/', true) }
  }
  const path = pathInTree(exchange)
  const listing = depth === '1' ? await listingAt(exchange, path) : undefined
  const self = listing?.self ?? (await tree.stat(path, call))
  const href = hrefOf(path, self.type === 'directory')
  const hrefOfMember = (member: Node): string =>
    href + encodePath('/' + member.name, member.type === 'directory').slice(1)
  return { self, members: listing?.members ?? [], listing, href, hrefOfMember }
}

/** Undefined when no folder stands there. */
async function listingAt({ tree, call }: Exchange, path: string): Promise<NodeListing | undefined> {
  try {
    return await tree.list(path, call)
  } catch (error) {
    if (!isStorageError(error, 'NOT_A_DIRECTORY')) throw error
    return undefined
  }
}

/** RFC 7240 section 4.2 as RFC 8144 applies it to WebDAV, and Microsoft's older `Brief: t`. */
function wantsMinimal({ request, response }: Exchange): boolean {
  if (/^t$/i.test(headerOf(request, 'brief') ?? '')) return true
  if (!/(?:^|[,;\s])return\s*=\s*"?minimal/i.test(headerOf(request, 'prefer') ?? '')) return false
  response.setHeader('Preference-Applied', 'return=minimal')
  return true
}

function allpropFor(client: Client, { members, href }: Folder): readonly string[] {
  if (client.listingBytes === undefined) return IN_ALLPROP
  const names = members.reduce((sum, member) => sum + Buffer.byteLength(member.name), 0)
  const expected = members.length * (SHORT_MEMBER + href.length) + names * 1.2
  return expected > client.listingBytes ? IN_SHORTEST_ALLPROP : IN_SHORT_ALLPROP
}

/** What properties need besides the nodes; nothing that nobody asked for. */
interface Facts {
  readonly stored: ReadonlyMap<string, readonly DeadProperty[]>
  readonly space: FreeSpace | undefined
}

const NONE_STORED: readonly DeadProperty[] = []

async function factsFor(exchange: Exchange, folder: Folder, depth: '0' | '1', renderer: Renderer): Promise<Facts> {
  const { treePath, tree, client } = exchange
  const { path, type } = folder.self
  let stored: Facts['stored'] = new Map()
  if (renderer.needs.stored && treePath !== undefined) {
    if (depth === '1' && type === 'directory') stored = await tree.propertiesInFolder(path)
    else stored = new Map([[path, await tree.properties(path)]])
  }
  const wanted = renderer.needs.space && client.quota && type === 'directory'
  return { stored, space: wanted ? await freeSpace(exchange, path) : undefined }
}

/** A server that cannot tell costs a client this one property, not the answer. */
async function freeSpace(
  { request, tree, call, dependencies }: Exchange,
  path: string,
): Promise<FreeSpace | undefined> {
  try {
    return await tree.freeSpace(path, call)
  } catch (error) {
    if (!isStorageError(error) || call.signal.aborted) throw error
    dependencies.log.debug({ id: requestIdOf(request), err: error }, 'the free space is not known')
    return undefined
  }
}

async function* render(exchange: Exchange, folder: Folder, renderer: Renderer, facts: Facts): AsyncGenerator<string> {
  const { tree } = exchange
  const locksOf = async (node: Node): Promise<string> =>
    renderer.needs.locks ? lockDiscovery(await tree.locks(node.path)) : ''
  const storedOf = (node: Node): readonly DeadProperty[] => facts.stored.get(node.path) ?? NONE_STORED

  let text = XML_HEAD + '<D:multistatus xmlns:D="DAV:">'
  const { self, href, members, hrefOfMember } = folder
  text += renderer.render(href, self, storedOf(self), { locks: await locksOf(self), space: facts.space })
  for (const member of members) {
    const locks = renderer.needs.locks ? await locksOf(member) : ''
    text += renderer.render(hrefOfMember(member), member, storedOf(member), { locks })
    if (text.length > BATCH) {
      yield text
      text = ''
    }
  }
  yield text + '</D:multistatus>'
}
