import { PASSWORD } from './web-app.js'

/** What a browser got, after every redirect. */
export interface Visit {
  readonly status: number
  /** Path and query of the page that it ended on. */
  readonly path: string
  readonly headers: Headers
  readonly text: string
}

export interface Asking {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** `manual`: a redirect is the answer. */
  readonly redirect?: 'follow' | 'manual'
}

export type Fields = Readonly<Record<string, string | readonly string[]>>

const MAX_REDIRECTS = 5

/** A browser without scripts: keeps cookies, follows redirects, sends forms with the token of the page they are on. */
export class BrowserSession {
  readonly cookies = new Map<string, string>()

  /** @param url of the gateway, without a slash at the end */
  constructor(
    private readonly url: string,
    private readonly headers: Readonly<Record<string, string>> = {},
  ) {}

  /** A browser in which somebody has logged in by the form, without second factor. */
  static async loggedIn(url: string, username: string, password = PASSWORD): Promise<BrowserSession> {
    const browser = new BrowserSession(url)
    const visit = await browser.login(username, password)
    if (visit.status >= 400 || visit.path.startsWith('/login')) {
      throw new Error(`${username} could not log in: ${visit.status} ${visit.path}\n${visit.text}`)
    }
    return browser
  }

  /** Fills the login form; where it leads to is not visited. */
  async login(username: string, password = PASSWORD): Promise<Visit> {
    return this.submit('/login', { username, password }, { redirect: 'manual' })
  }

  get(path: string, asking: Asking = {}): Promise<Visit> {
    return this.request(path, asking)
  }

  /**
   * Sends a form, as if it stood on the page `from`: by default the one at its own address.
   * @param fields besides the token
   */
  async submit(path: string, fields: Fields, asking: Asking & { readonly from?: string } = {}): Promise<Visit> {
    const { from = path, ...rest } = asking
    const body = new URLSearchParams()
    body.set('_csrf', await this.csrfToken(from))
    for (const [name, value] of Object.entries(fields)) {
      for (const item of typeof value === 'string' ? [value] : value) body.append(name, item)
    }
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded', ...rest.headers }
    return this.request(path, { ...rest, method: 'POST', body: body.toString(), headers })
  }

  /** As a script of the page `from` does it. */
  async fetchJson(
    path: string,
    { method = 'POST', json, from = '/login' }: { method?: string; json?: unknown; from?: string } = {},
  ): Promise<Visit> {
    const headers = { 'X-CSRF-Token': await this.csrfToken(from), Accept: 'application/json' }
    if (json === undefined) return this.request(path, { method, headers })
    return this.request(path, {
      method,
      headers: { ...headers, 'Content-Type': 'application/json' },
      body: JSON.stringify(json),
    })
  }

  /** The token that every page carries. */
  async csrfToken(from: string): Promise<string> {
    const { text } = await this.get(from)
    const token = /<meta name="csrf-token" content="([^"]+)">/.exec(text)?.[1]
    if (token === undefined) throw new Error(`no token on ${from}:\n${text}`)
    return token
  }

  async request(path: string, { redirect = 'follow', ...asking }: Asking): Promise<Visit> {
    let { method = 'GET', headers = {}, body } = asking
    for (let at = path, hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const response = await fetch(this.url + at, {
        method,
        redirect: 'manual',
        headers: { Accept: 'text/html', ...this.headers, ...headers, Cookie: this.#cookieHeader() },
        ...(body === undefined ? {} : { body }),
      })
      this.#keep(response.headers.getSetCookie())
      const location = response.headers.get('location')
      const text = await response.text()
      const target = location === null ? undefined : new URL(location, this.url + at)
      if (target === undefined || redirect === 'manual') {
        const shown = target ? target.pathname + target.search : at
        return { status: response.status, path: shown, headers: response.headers, text }
      }
      at = target.pathname + target.search
      method = 'GET'
      headers = {}
      body = undefined
    }
    throw new Error(`too many redirects from ${path}`)
  }

  #cookieHeader(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  #keep(lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
      const split = pair.indexOf('=')
      const name = pair.slice(0, split)
      const expires = attributes.find((attribute) => /^expires=/i.test(attribute))?.slice(8)
      if (expires !== undefined && Date.parse(expires) < Date.now()) this.cookies.delete(name)
      else this.cookies.set(name, pair.slice(split + 1))
    }
  }
}
