import { expect } from 'chai'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Page } from 'playwright-core'

export const WIDE = { width: 1280, height: 800 }
/** A phone. */
export const NARROW = { width: 390, height: 844 }

/** Pictures of pages below `.lab/screenshots`, to be looked at; those of the last run are replaced. */
export class Screenshots {
  #count = 0

  private constructor(private readonly folder: string) {}

  static async into(name: string): Promise<Screenshots> {
    const folder = path.join(import.meta.dirname, '../../.lab/screenshots', name)
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    return new Screenshots(folder)
  }

  /** The whole page, wide and narrow. Neither may have to be scrolled sideways. */
  async take(page: Page, name: string): Promise<void> {
    const number = String(++this.#count).padStart(2, '0')
    for (const [label, size] of Object.entries({ narrow: NARROW, wide: WIDE })) {
      await page.setViewportSize(size)
      await page.screenshot({ path: path.join(this.folder, `${number} ${name} ${label}.png`), fullPage: true })
      expect(await widthOf(page), `${name}: width of the page when it is ${label}`).to.be.at.most(size.width)
    }
  }
}

/** What a page takes to the right, however narrow its window. */
export function widthOf(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth')
}
