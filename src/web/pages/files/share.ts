import { ValidationError } from '../../../errors.js'
import { hrefWith } from '../../page/paging.js'
import { chosenIn } from './file-path.js'
import type { FolderAction } from './folder-actions.js'

/** `?do=share` with `name`: on to the page that asks with whom. */
export const share: FolderAction = (_dependencies, request, response, folder) => {
  const [path, ...more] = chosenIn(folder, request.body)
  if (more.length > 0) throw new ValidationError([{ field: 'name', message: 'must be one: share them one by one' }])
  response.redirect(303, hrefWith('/shared/new', { path }))
  return Promise.resolve()
}
