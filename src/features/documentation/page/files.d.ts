/** An import `with { type: 'file' }` returns the path of the file. In a compiled executable, the path is inside it. */
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
