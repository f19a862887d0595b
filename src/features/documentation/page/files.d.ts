/** An import `with { type: 'file' }` gives the path of the file: on disk, or inside the compiled executable. */
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
