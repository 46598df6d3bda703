import ejs from 'ejs'
import { fileURLToPath } from 'node:url'

/** `views/` stands at the same distance from `src/web/` and `dist/web/`. */
const VIEWS = fileURLToPath(new URL('../../views/', import.meta.url))

/** The page `views/<name>.ejs`. It sees `data` and nothing else: no part of the request reaches the engine's options. */
export function render(name: string, data: object): Promise<string> {
  return ejs.renderFile(`${VIEWS}${name}.ejs`, data, { cache: true, views: [VIEWS] })
}
