import { type StaticContent, staticContent } from '../../lib/static-content.ts'
import { chapterFiles, guidePage, guideSecurityPolicy, readChapters } from './guide.ts'
import { docsFiles, docsPage, pageSecurityPolicy } from './page.ts'

export interface DocumentationNeeds {
  /** Makes the OpenAPI document. Called at the first request for the document, and again only after a failure. */
  openApi: () => Promise<object>
}

/** The documentation of the running version. Each part is made at the first request for it, and stays in memory. */
export interface Documentation {
  /** The page at `/docs`, which shows the OpenAPI document and can send requests to Keyward. */
  page(): Promise<StaticContent>
  /**
   * A script or a style sheet of the pages.
   * @param name the name by which the pages refer to the file; it contains the hash of the content
   * @returns undefined for an unknown name
   */
  file(name: string): Promise<StaticContent | undefined>
  /** The OpenAPI document, as JSON. */
  document(): Promise<StaticContent>
  /**
   * A page of the guide.
   * @param chapter the last segment of the page's address; empty for the index
   * @returns undefined for an unknown chapter
   */
  guide(chapter: string): Promise<StaticContent | undefined>
}

/**
 * `Cache-Control` of the pages. An upgrade of Keyward changes a page, so browsers ask each time if a copy is current.
 */
const revalidated = 'public, no-cache'
/** `Cache-Control` of files whose name contains the hash of the content: new content then has a new address. */
const forever = 'public, max-age=31536000, immutable'

/**
 * Makes the documentation, but loads no file before a request needs the file. Most processes never serve the
 * documentation, and the files of the page at `/docs` alone have 2 MB.
 */
export function createDocumentation({ openApi }: DocumentationNeeds): Documentation {
  const files = once(async () => {
    const contents = Object.entries(docsFiles).map(async ([name, { path, type }]) => {
      const file = Bun.file(path)
      const content = await staticContent({ 'content-type': type, 'cache-control': forever }, await file.bytes(), file)
      return [name, content] as const
    })
    return new Map(await Promise.all(contents))
  })
  const document = once(async () =>
    staticContent(
      { 'content-type': 'application/json', 'cache-control': revalidated },
      JSON.stringify(await openApi()),
    ),
  )
  const page = once(async () => {
    const contents = await files()
    return staticContent(
      htmlHeaders(pageSecurityPolicy),
      docsPage((file) => `docs/${addressOf(file, contents.get(file)!)}`),
    )
  })
  const chapters = once(readChapters)
  const guidePages = new Map(
    Object.keys(chapterFiles).map((name) => [
      name,
      once(async () => {
        const style = addressOf('guide.css', (await files()).get('guide.css')!)
        return staticContent(htmlHeaders(guideSecurityPolicy), guidePage(name, await chapters(), `../${style}`))
      }),
    ]),
  )

  return {
    page,
    document,
    async file(name) {
      return [...(await files())].find(([file, content]) => addressOf(file, content) === name)?.[1]
    },
    guide: async (chapter) => guidePages.get(chapter)?.(),
  }
}

const htmlHeaders = (policy: string) => ({
  'content-type': 'text/html; charset=utf-8',
  'cache-control': revalidated,
  'content-security-policy': policy,
})

/** The file name with the content's hash, such as `swagger-ui-n4bQgYhMfWWaL-qg.css`. New content gets a new name. */
const addressOf = (file: string, { hash }: StaticContent): string => file.replace(/(\.\w+)$/, `-${hash}$1`)

/** Returns a function that runs `work` at its first call, and returns the same result at every call until a failure. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined
  return () => {
    result ??= work().catch((error) => {
      result = undefined
      throw error
    })
    return result
  }
}
