/** What `with { type: 'file' }` imports: the path of a file, inside the executable once it is compiled. */
declare module 'swagger-ui-dist/*' {
  const path: string
  export = path
}

declare module '*/page/page.js' {
  const path: string
  export = path
}

declare module '*.css' {
  const path: string
  export = path
}

declare module '*.md' {
  const path: string
  export = path
}
