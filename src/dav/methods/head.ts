import { verb } from '../verb.js'
import { sendResource } from './get.js'

/** RFC 9110 section 9.3.2: what GET says, without content. Asks no server for content either. */
export const head = verb(sendResource)
