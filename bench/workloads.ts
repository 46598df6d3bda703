import type { Scale } from './scale.js'
import type { Server } from './stage.js'
import type { Workload } from './workload.js'
import { getBig, getFour, getRange, getRanges } from './workloads/get.js'
import { getSmallRows } from './workloads/get-small.js'
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
    ...[...getSmallRows, putSmallOne, putSmallMany, putSmallCached],
    ...[move, makeCollection, remove, mixed, treeUp, treeDown, copyAsWindows, copyAsFinder],
  ]
}

/** With TLS and from afar everything takes longer and little is different: what is not in these is not measured there. */
const WITH_TLS = /^(list-1000(-cold)?|get|put|range|(get|put)-small-c\d+|move|mixed|tree-.*|copy-.*)$/
const FROM_AFAR = /^(start|list-1000-cold|get|put|range|(get|put)-small-c\d+|move|mixed)$/
/** A peer that caches has no target; two servers show what it is about. */
const CACHING = /^(sshd|vsftpd)$/

/** Whether a workload is measured on a server. */
export function fits({ name, peer }: Workload, server: Server): boolean {
  if (server.name !== server.kind) return FROM_AFAR.test(name)
  if (server.endpoint.protocol === 'ftps') return WITH_TLS.test(name)
  return peer !== 'caching' || CACHING.test(server.kind)
}
