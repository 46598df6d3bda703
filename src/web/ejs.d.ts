/** ejs 7 brings no types; `@types/ejs` describes version 3. This is what the pages use. */
declare module 'ejs' {
  const ejs: {
    renderFile(path: string, data: object, options: { cache: boolean; views: string[] }): Promise<string>
  }
  // eslint-disable-next-line no-restricted-syntax -- it is what the package exports
  export default ejs
}
