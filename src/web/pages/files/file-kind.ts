import { contentTypeOf } from '../../../http/content-type.js'

/** What a file is, for its icon and its preview. */
export type FileKind = 'image' | 'video' | 'audio' | 'pdf' | 'text' | 'code' | 'table' | 'document' | 'archive' | 'file'

/** Bootstrap's icon of each kind. */
export const KIND_ICONS: Readonly<Record<FileKind | 'folder' | 'server', string>> = {
  folder: 'folder-fill',
  server: 'hdd-network',
  image: 'file-earmark-image',
  video: 'file-earmark-play',
  audio: 'file-earmark-music',
  pdf: 'file-earmark-pdf',
  text: 'file-earmark-text',
  code: 'file-earmark-code',
  table: 'file-earmark-spreadsheet',
  document: 'file-earmark-richtext',
  archive: 'file-earmark-zip',
  file: 'file-earmark',
}

const ENDINGS: readonly (readonly [FileKind, string])[] = [
  ['image', 'png jpg jpeg gif webp avif bmp ico svg tif tiff heic psd'],
  ['video', 'mp4 m4v webm ogv mov mkv avi wmv'],
  ['audio', 'mp3 m4a aac oga ogg opus wav flac'],
  ['pdf', 'pdf'],
  ['text', 'txt md log nfo rst tex diff patch srt vtt'],
  [
    'code',
    'js mjs cjs ts jsx tsx json jsonl html htm xml css scss py rb php java kt c h cc cpp hpp cs go rs sh bash zsh ps1 bat sql yaml yml toml ini conf cfg env lua pl swift vue properties gradle',
  ],
  ['table', 'csv tsv xls xlsx ods'],
  ['document', 'doc docx odt rtf ppt pptx odp'],
  ['archive', 'zip tar gz tgz bz2 xz zst 7z rar jar deb rpm iso'],
]

const BY_ENDING = new Map(ENDINGS.flatMap(([kind, endings]) => endings.split(' ').map((ending) => [ending, kind])))

export function kindOf(name: string): FileKind {
  const dot = name.lastIndexOf('.')
  return (dot < 0 ? undefined : BY_ENDING.get(name.slice(dot + 1).toLowerCase())) ?? 'file'
}

/**
 * Types that a browser may show in the page, as what they are and nothing else. No SVG, HTML or XML: they hold scripts.
 */
const SHOWN = new Set([
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'image/avif',
  'video/mp4',
  'video/webm',
  'video/ogg',
  'audio/mpeg',
  'audio/mp4',
  'audio/aac',
  'audio/ogg',
  'audio/wav',
  'audio/wave',
  'audio/x-wav',
  'audio/flac',
  'audio/x-flac',
])

/** The type under which a file may be shown inline; undefined: only as a download. */
export function shownTypeOf(name: string): string | undefined {
  const type = contentTypeOf(name)
  return SHOWN.has(type) ? type : undefined
}

/** How the page of a file shows it. */
export type Preview = 'image' | 'video' | 'audio' | 'pdf' | 'text' | 'none'

export function previewOf(name: string): Preview {
  const kind = kindOf(name)
  if (kind === 'text' || kind === 'code' || /\.(csv|tsv|svg)$/i.test(name)) return 'text'
  // Drawn by a script of ours: as a file of its own it would bring a viewer, or whatever is in it, into this origin.
  if (kind === 'pdf') return 'pdf'
  const type = shownTypeOf(name)
  if (type === undefined) return 'none'
  return type.startsWith('image/') ? 'image' : type.startsWith('video/') ? 'video' : 'audio'
}
