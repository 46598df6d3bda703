import type { Scale } from './scale.js'
import type { Workload } from './workload.js'
import { getBig, getFour, getRange, getRanges, getSmallMany, getSmallOne } from './workloads/get.js'
import { copyAsFinder, copyAsWindows } from './workloads/copy-in.js'
import { listings } from './workloads/list.js'
import { mixed } from './workloads/mixed.js'
import { makeCollection, move, remove } from './workloads/names.js'
import { putBig, putCached, putFour, putSmallCached, putSmallMany, putSmallOne } from './workloads/put.js'

import { coldStart } from './workloads/start.js'
import { treeDown, treeUp } from './workloads/tree.js'

/** In the order of the table. */
export function allWorkloads(scale: Scale): Workload[] {
  return [
    coldStart,
    ...listings(scale.folders),
    ...[getBig, getFour, putBig, putFour, putCached, getRange, getRanges],
    ...[getSmallOne, getSmallMany, putSmallOne, putSmallMany, putSmallCached],
    ...[move, makeCollection, remove, mixed, treeUp, treeDown, copyAsWindows, copyAsFinder],
  ]
}
