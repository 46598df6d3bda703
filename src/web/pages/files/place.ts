import type { Access } from '../../../vfs/mount.js'
import { parentPath } from '../../../vfs/virtual-path.js'
import { breadcrumbs } from '../../folder-page.js'
import { BASE, hrefOf } from './file-path.js'

/** Where a tree stands among the pages. Paths are virtual paths. */
export interface Place {
  /** Path part of the URL of a file or folder. */
  hrefOf(path: string, folder: boolean): string
  /** The pages from the top to the path, itself included. */
  crumbs(path: string): readonly { readonly name: string; readonly href: string }[]
  /** The page above; undefined at the top. */
  up(path: string): string | undefined
  /** The path as the visitor may know it. */
  shown(path: string): string
  /** What the visitor may do in a folder. */
  access(path: string): Promise<Access>
  /** Who shares this with the visitor; undefined for the visitor's own files, which alone can be copied and shared. */
  readonly owner?: string
}

/** `/files`: the visitor's own tree. */
export function ownPlace(access: (path: string) => Promise<Access>): Place {
  return {
    hrefOf,
    crumbs: (path) => breadcrumbs(path, BASE),
    up: (path) => (path === '/' ? undefined : hrefOf(parentPath(path), true)),
    shown: (path) => path,
    access,
  }
}
