import { expect } from 'chai'

/*
 * Numbers are those of the list of bad inputs that this gateway is held to; docs/security.md tells more. Where the rows are:
 *
 *   here                      what concerns pages, API and /ftp
 *   test/dav/bad-input        B1-B5, B7, B11-B13, B17-B19, B21, B23-B29, B32, B34-B38, B40-B42, B44, B45 over WebDAV
 *   test/storage              B5 (latin1) ftp-driver; B8, B10, B64 (names on every server) conformance/names
 *   test/dav/methods          B15, B16, B22 put; B30, B31 copy-move; B33 delete; B34, B39, B64 propfind; B40 proppatch; B41-B43 lock
 *   test/faults               B15, B20, B30, B31, B62 over real servers
 *   test/auth                 B47 basic-credentials; B48 password-hasher; B59, B60 second-factor, setup; JWTs jwt
 *   test/users, test/servers  B60 user-service; B57, B58 server-service, dialer
 *   test/gateway.test.ts      B61, B62
 *   test/web/pages            B56 of each page; B63 files/zip (there is no multipart: uploads are PUTs)
 */

export const PASSWORD = { root: 'correct horse root', user1: 'correct horse one', user2: 'correct horse two' } as const

/** One raw request, and the statuses it may get. */
export interface Case {
  readonly row: string
  readonly name: string
  /** Request line without the version. */
  readonly line: string
  readonly headers?: readonly string[]
  /** Bytes, as Latin-1. */
  readonly body?: string
  readonly type?: string
  /** Default user1 by Basic; `session`: user1 by cookie. */
  readonly as?: keyof typeof PASSWORD | 'session' | 'nobody'
  /** None: the connection may end without an answer. */
  readonly status: readonly number[]
  /** The client ends the connection after what it has sent. */
  readonly cut?: 'FIN' | 'RST'
  /** On success, a file of exactly this name with the body. */
  readonly makes?: string
  /** It may change something that is not named. */
  readonly changes?: true
  readonly says?: (received: string) => void
}

const S = '/ftp/user1/s'
const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'
const basic = (text: string) => `Authorization: Basic ${Buffer.from(text).toString('base64')}`
const row = (row: string, ...cases: Omit<Case, 'row'>[]): Case[] => cases.map((each) => ({ row, ...each }))
const put = (name: string, target: string, status: number[], more: Partial<Case> = {}) => ({
  ...{ name, line: `PUT ${target}`, body: 'x', status },
  ...more,
})
const get = (name: string, target: string, status: number[], more: Partial<Case> = {}) => ({
  ...{ name, line: `GET ${target}`, status },
  ...more,
})
const api = (name: string, line: string, body: string, status: number[], more: Partial<Case> = {}) => ({
  ...{ name, line, body, status, as: 'root' as const, type: JSON_TYPE, says: problem },
  ...more,
})
const login = (name: string, body: string, status: number[], more: Partial<Case> = {}) => ({
  ...{ name, line: 'POST /login', body, status, as: 'nobody' as const, type: FORM },
  ...more,
})
/** RFC 9457 for every refusal. */
const problem = (received: string) => {
  if (/^HTTP\/1\.1 [45]/.test(received)) expect(received).to.match(/content-type: application\/problem\+json/i)
}
const leadsHome = (received: string) => expect(received).to.match(/^location: \/(dashboard)?\r$/im)

const NEW_SERVER = { alias: 'x', protocol: 'sftp', port: 22, trust: { firstUse: true } }
const server = (fields: object) => JSON.stringify({ ...NEW_SERVER, ...fields })

export const CASES: readonly Case[] = [
  ...row(
    'B1',
    get('a broken escape, not logged in', '/ftp/%E0%A4%A', [400, 401], { as: 'nobody' }),
    get('a broken escape', '/ftp/%E0%A4%A', [400]),
    get('a broken escape on a page', '/files/%E0%A4%A', [400], { as: 'session' }),
    get('a broken escape in the API', '/api/v1/users/%E0%A4%A', [400, 404], { as: 'root' }),
  ),
  ...row(
    'B2',
    get('escaped slashes that climb', `${S}/..%2f..%2fetc/passwd`, [400]),
    get('escaped dots that climb', `${S}/%2e%2e/%2e%2e/%2e%2e/etc/passwd`, [400]),
    get('dots that climb from a page', '/files/s/../../etc/passwd', [400], { as: 'session' }),
    get('dots in a path of assets', '/assets/..%2f..%2fpackage.json', [400, 403, 404], { as: 'nobody' }),
    get('backslashes that climb', `${S}/..%5c..%5cetc`, [400]),
    get('four dots', `${S}/....//x`, [404]),
    get('a double escape is a name', `${S}/%252e%252e%252fkept`, [404]),
  ),
  ...row(
    'B3',
    put('NUL in a name', `${S}/a%00b`, [400]),
    put('a raw NUL', `${S}/a\0b`, [400]),
    put('a raw CR', `${S}/a\rb`, [400]),
  ),
  ...row('B4', put('CR and LF in a name', `${S}/x%0d%0aDELE%20kept`, [400])),
  ...row('B6', put('a backslash is a character', `${S}/a%5Cb`, [201, 400], { makes: 'a\\b' })),
  ...row(
    'B7',
    put('a segment of 256 bytes', `${S}/${'a'.repeat(256)}`, [400, 414]),
    put('a path of 5 KiB', `${S}/${'a/'.repeat(2560)}x`, [400, 414]),
    put('200 segments', `${S}${'/a'.repeat(200)}`, [400, 414]),
  ),
  ...row(
    'B8',
    ...[
      ['CON', 'CON'],
      ['a.', 'a.'],
      ['a%20', 'a '],
      ['%20a', ' a'],
      ['-rf', '-rf'],
      ['*', '*'],
      ['[1]', '[1]'],
      ['~root', '~root'],
      ['.ftpc-x', '.ftpc-x'],
    ].map(([target = '', makes = '']) =>
      put(`the name ${JSON.stringify(makes)} is kept`, `${S}/${target}`, [201], { makes }),
    ),
    put('a name of ours is nobody’s', `${S}/.ftpc-abcdef-0123456789~x`, [403, 404]),
  ),
  ...row('B9', put('a name that is no UTF-8', `${S}/%ff%fe`, [400]), put('a lone surrogate', `${S}/%ed%a0%80`, [400])),
  ...row(
    'B10',
    put('é in one character', `${S}/%c3%a9`, [201], { makes: '\u00e9', body: 'NFC' }),
    put('é in two is another file', `${S}/e%cc%81`, [201], { makes: 'e\u0301', body: 'NFD' }),
    get('and the first is as it was', `${S}/%c3%a9`, [200], { says: (received) => expect(received).to.match(/NFC$/) }),
  ),
  ...row(
    'B11',
    put('onto a server folder', S, [403, 405, 409]),
    { name: 'DELETE of a server folder', line: `DELETE ${S}`, status: [403, 405] },
    { name: 'DELETE of everything', line: 'DELETE /ftp/user1', status: [403, 405] },
  ),
  ...row(
    'B12',
    put('to a server that is not there', '/ftp/user1/nosuch/x', [404]),
    put('to the top', '/ftp/user1/x', [403, 404]),
  ),
  ...row('B13', put('to a URL with a slash at its end', `${S}/new/`, [400, 405, 409])),
  ...row(
    'B14',
    get('the path of another user', '/ftp/user2/s/kept', [404]),
    get('the path of nobody', '/ftp/nobody/s/kept', [404]),
    get('of another user as admin', '/ftp/user1/s/kept', [404], { as: 'root' }),
    get('of another user by a hidden slash', '/ftp/user1/..%2fuser2/s/kept', [400]),
  ),
  ...row(
    'B15',
    ...(['FIN', 'RST'] as const).map((cut) =>
      put(`5 of 100 bytes, then ${cut}`, `${S}/kept`, [], { body: 'short', headers: ['Content-Length: 100'], cut }),
    ),
  ),
  ...row(
    'B16',
    ...[
      ['a chunked body that is cut', '5\r\nshort\r\n', 'FIN'],
      ['a chunk size that is none', 'zz\r\nshort\r\n0\r\n\r\n', undefined],
      ['a chunk extension without end', `5;${'x'.repeat(1_000_000)}`, 'FIN'],
    ].map(([name = '', body = '', cut]) =>
      put(name, `${S}/kept`, [], { body, headers: ['Transfer-Encoding: chunked'], ...(cut === 'FIN' && { cut }) }),
    ),
  ),
  ...row('B17', put('a part of a file', `${S}/kept`, [400], { headers: ['Content-Range: bytes 0-4/10'] })),
  ...row('B18', put('an encoding', `${S}/kept`, [415], { headers: ['Content-Encoding: gzip'] })),
  ...row(
    'B19',
    put('Expect without a login', `${S}/kept`, [401], {
      as: 'nobody',
      headers: ['Expect: 100-continue'],
      says: (received) => expect(received).not.to.match(/^HTTP\/1\.1 100/),
    }),
    put('Expect with something else', `${S}/kept`, [417], { headers: ['Expect: foo'] }),
  ),
  ...row(
    'B21',
    put('If-None-Match: * on a file', `${S}/kept`, [412], { headers: ['If-None-Match: *'] }),
    put('If-Match with another ETag', `${S}/kept`, [412], { headers: ['If-Match: "wrong"'] }),
    { name: 'DELETE with another ETag', line: `DELETE ${S}/kept`, headers: ['If-Match: "wrong"'], status: [412] },
  ),
  ...row(
    'B44',
    ...['5-2', 'a-b', `${'0-0,'.repeat(500)}0-0`, '-0', '999999-', '0-18446744073709551616'].map((range) =>
      get(`Range: bytes=${range.slice(0, 20)}`, `${S}/kept`, [200, 206, 416], { headers: [`Range: bytes=${range}`] }),
    ),
    get('a range behind the end tells the size', `${S}/kept`, [416], {
      headers: ['Range: bytes=999-'],
      says: (received) => expect(received).to.match(/^content-range: bytes \*\/4\r$/im),
    }),
  ),
  ...row(
    'B45',
    { name: 'POST', line: `POST ${S}/kept`, body: 'x', status: [405] },
    { name: 'PATCH', line: `PATCH ${S}/kept`, body: 'x', status: [405] },
    { name: 'TRACE', line: 'TRACE /dashboard', status: [405] },
    { name: 'CONNECT', line: 'CONNECT 127.0.0.1:22', status: [] },
    { name: 'FOO', line: `FOO ${S}/kept`, status: [400, 405] },
    { name: 'a method in lower case', line: `delete ${S}/kept`, status: [400, 405] },
    get('a method in a header', `${S}/kept`, [200], { headers: ['X-HTTP-Method-Override: DELETE'] }),
    get('a method in a query', `${S}/kept?_method=DELETE`, [200]),
    { name: 'PUT of the API', line: 'PUT /api/v1/users', body: '{}', as: 'root', type: JSON_TYPE, status: [404, 405] },
  ),
  // Those that log in first: guesses slow down what comes after them.
  ...row(
    'B47',
    ...[
      ['colons in the password', 'colon:u:p:w:u:p:w'],
      ['a password whose base64 has + and /', 'base64:??>>??>>'],
      ['a password beyond ASCII', 'utf8:pä-pä-pä'],
    ].map(([name = '', proof = '']) => get(name, '/api/v1/me', [200], { as: 'nobody', headers: [basic(proof)] })),
    get('Basic alone', S, [400, 401], { as: 'nobody', headers: ['Authorization: Basic'] }),
    get('no colon', S, [400, 401], { as: 'nobody', headers: [basic('user1')] }),
    get('no user', S, [401], { as: 'nobody', headers: [basic(':x')] }),
    get('no password', S, [401], { as: 'nobody', headers: [basic('user1:')] }),
    get('something behind the right password', S, [401], {
      as: 'nobody',
      headers: [basic(`user1:${PASSWORD.user1}:junk`)],
    }),
    get('two Authorization headers', S, [400], { headers: [basic('user2:x')] }),
    get('a header of 1 MB', S, [431], { as: 'nobody', headers: [`Authorization: Basic ${'a'.repeat(1_000_000)}`] }),
    get('a token of nobody', S, [401], { as: 'nobody', headers: ['Authorization: Bearer a.b.c'] }),
  ),
  ...row(
    'B49',
    get('a cookie of 10 KB', '/account', [200, 303], {
      as: 'nobody',
      headers: [`Cookie: sid=${'a'.repeat(10_000)}`, 'Accept: text/html'],
    }),
    get('a cookie that nobody signed', '/account', [303], {
      as: 'nobody',
      headers: ['Cookie: sid=s%3Aabc.def', 'Accept: text/html'],
    }),
    get('a cookie of a broken escape', '/account', [303], {
      as: 'nobody',
      headers: ['Cookie: sid=%E0%A4%A', 'Accept: text/html'],
    }),
    get('the same cookie twice, a wrong one first', '/account', [200, 303], {
      as: 'nobody',
      headers: ['Cookie: sid=s%3Aabc.def; {cookie}', 'Accept: text/html'],
    }),
  ),
  ...row(
    'B50',
    login('a list for the name', 'username[]=a&password=b', [400, 401, 403, 422]),
    login('an operator for the name', 'username[$ne]=&password=x', [400, 401, 403, 422]),
    login('an object for the password', 'username=user1&password[toString]=1', [400, 401, 403, 422]),
    login('nothing', '', [400, 401, 403, 422]),
    login('a field of 1 MB', `username=${'a'.repeat(1_000_000)}`, [413]),
    login('10,000 fields', 'a=&'.repeat(10_000), [400, 413]),
    login('JSON that is a list', '[]', [400], { type: JSON_TYPE }),
    login('an operator in JSON', '{"username":{"$ne":""},"password":"x"}', [400], { type: JSON_TYPE }),
    login('multipart', '--x', [404, 415], { type: 'multipart/form-data; boundary=x' }),
  ),
  ...row(
    'B51',
    ...['/login', '/dashboard', '/files/s/', '/account', '/connect', '/jobs', '/api/docs'].map((target) =>
      get(
        `options of the page engine on ${target}`,
        `${target}?settings[view%20options][outputFunctionName]=x;process.exit()//&settings[view%20options][client]=1`,
        [200, 303],
        { as: 'session', headers: ['Accept: text/html'] },
      ),
    ),
  ),
  ...row(
    'B52',
    ...['//evil', '/%5Cevil', 'https:evil', 'https://evil', '/%0d%0aSet-Cookie:x=y', 'javascript:alert(1)'].map(
      (next) => get(`next=${next}`, `/login?next=${next}`, [303], { as: 'session', says: leadsHome }),
    ),
  ),
  ...row(
    'B53',
    ...(
      [
        ['a form of another site', ['Origin: https://evil.example'], '{csrf}'],
        ['a form from nowhere', ['Origin: null'], '{csrf}'],
        ['what a browser calls cross-site', ['Sec-Fetch-Site: cross-site'], '{csrf}'],
        ['no token', [], ''],
        ['a token of another session', [], 'A'.repeat(43)],
      ] as const
    ).map(([name, headers, token]) => ({
      ...{ name, line: 'POST /account/sessions/end-others', as: 'session' as const, type: FORM, status: [403] },
      ...{ headers: [...headers], body: `_csrf=${token}` },
    })),
    ...(['text/plain', JSON_TYPE, FORM] as const).map((type) => ({
      ...{
        name: `the API by cookie with ${type} and no token`,
        line: 'POST /api/v1/me/app-passwords',
        status: [403, 415],
      },
      ...{ as: 'session' as const, type, body: '{"name":"x"}' },
    })),
    put('to /ftp by cookie', `${S}/kept`, [401], { as: 'session' }),
    { name: 'DELETE on /ftp by cookie', line: `DELETE ${S}/kept`, as: 'session', status: [401] },
    put('to /ftp by Basic from another site', `${S}/kept`, [403], { headers: ['Sec-Fetch-Site: cross-site'] }),
  ),
  ...row(
    'B54',
    api('half an object', 'POST /api/v1/users', '{"username":', [400]),
    api(
      '__proto__',
      'POST /api/v1/users',
      '{"username":"x","password":"long enough","__proto__":{"role":"admin"}}',
      [400],
    ),
    api('a key twice', 'POST /api/v1/users', '{"username":"x","username":"y","password":"p"}', [400]),
    api('1e400', 'PATCH /api/v1/users/1', '{"role":1e400}', [400]),
    api('10,000 nested lists', 'POST /api/v1/users', '['.repeat(10_000), [400]),
    api('a byte order mark', 'POST /api/v1/users', '\xef\xbb\xbf{}', [400]),
    api('another type', 'POST /api/v1/users', 'a=b', [404, 415], { type: 'text/xml' }),
    api('no type', 'POST /api/v1/users', '{}', [415], { headers: ['Content-Type: '], type: '' }),
    api('1 MB', 'POST /api/v1/users', `{"username":"${'a'.repeat(1_000_000)}"}`, [413]),
    ...['1%20OR%201=1', '9999999999999999999', '-1', '1e3', '0x1'].map((id) =>
      api(`the id ${id}`, `GET /api/v1/users/${id}`, '', [400, 404]),
    ),
    ...['offset=-1', 'limit=1e9', 'sort=;drop', 'sort=passwordHash', 'offset=1&offset=2', 'x=y'].map((query) =>
      api(`the query ${query}`, `GET /api/v1/users?${query}`, '', [400]),
    ),
  ),
  ...row(
    'B55',
    ...['id', 'passwordHash', 'authVersion', 'createdAt', 'totpSecret', 'hasSecondFactor'].map((field) =>
      api(`${field} of a user`, 'PATCH /api/v1/users/1', JSON.stringify({ [field]: 7 }), [400]),
    ),
    api('a role by somebody who is no admin', 'PATCH /api/v1/users/2', '{"role":"admin"}', [403], { as: 'user1' }),
    api('a user with an id', 'POST /api/v1/users', '{"id":1,"username":"x","password":"long enough"}', [400]),
    api('somebody else’s app password', 'POST /api/v1/me/app-passwords', '{"name":"x","userId":1}', [400], {
      as: 'user1',
    }),
  ),
  ...row(
    'B56',
    ...['<script>alert(1)', '"><img src=x onerror=alert(1)>', '<%= 7*7 %>'].map((text) =>
      get(`${text} in an address that leads nowhere`, `/${encodeURIComponent(text)}`, [404], {
        as: 'session',
        headers: ['Accept: text/html'],
        says: (received) => expect(received).not.to.include(text),
      }),
    ),
    login('markup for a name', `username=${encodeURIComponent('"><script>x</script>')}&password=x`, [401, 403, 422], {
      says: (received) => expect(received).not.to.include('<script>x'),
    }),
  ),
  ...row(
    'B57',
    ...['2130706433', '0x7f000001', '22;id', 'a b', 'h'.repeat(300), 'user@host', 'host/path', ''].map((host) =>
      api(`a server at ${JSON.stringify(host.slice(0, 20))}`, 'POST /api/v1/servers', server({ host }), [400]),
    ),
    ...[0, 65536, -1, 22.5, '22;id'].map((port) =>
      api(`a server with the port ${port}`, 'POST /api/v1/servers', server({ host: 'files.example.com', port }), [400]),
    ),
    ...['a/b', '..', '', 'a\u0000b', 'x'.repeat(300)].map((alias) =>
      api(
        `a server called ${JSON.stringify(alias.slice(0, 10))}`,
        'POST /api/v1/servers',
        server({ host: 'h.example.com', alias }),
        [400],
      ),
    ),
  ),
  ...row(
    'B58',
    ...[
      ['CR and LF', 'a\r\nDELE x'],
      ['NUL', 'a\0b'],
      ['10 KB', 'x'.repeat(10_000)],
      ['nothing', ''],
    ].map(([name = '', password = '']) =>
      api(
        `a password of a server with ${name}`,
        'PUT /api/v1/permissions/1/credentials',
        JSON.stringify({ password }),
        [400],
      ),
    ),
  ),
  ...row(
    'B61',
    put('two lengths', `${S}/kept`, [400], { headers: ['Content-Length: 1', 'Content-Length: 2'] }),
    put('a length and chunks', `${S}/kept`, [400], { headers: ['Content-Length: 1', 'Transfer-Encoding: chunked'] }),
    put('another transfer encoding', `${S}/kept`, [400, 501], { headers: ['Transfer-Encoding: xchunked'] }),
    get('a blank before the colon', '/login', [400], { as: 'nobody', headers: ['X-A : b'] }),
    get('a folded header', '/login', [400], { as: 'nobody', headers: ['X-A: b\r\n c'] }),
    get('an upgrade that is not offered', '/login', [200], { as: 'nobody', headers: ['Upgrade: websocket'] }),
  ),
]
