import { Notice } from '../../../../pages/notice.tsx'
import type { View, Visit } from '../../../../pages/pages.tsx'
import { textsOf } from './parts.tsx'

/** The data that the page shows besides its texts. */
export interface CodesShown {
  codes: readonly string[]
  /** A sentence above the codes that tells what was done. */
  done?: string
  /** The page after this one. Its query is sent by the form. */
  next: { path: string; query: Record<string, string> }
  formAction?: string | undefined
}

/**
 * The page that shows recovery codes, once. The file to download is made in the page, so no address has the codes. The
 * box is there so that nobody goes on by habit; nothing of it is sent.
 */
export function codesView(visit: Visit, { codes, done, next, formAction }: CodesShown): View {
  const texts = textsOf(visit).codes
  // Long words of the title may be hyphenated on the page only.
  const name = textsOf(visit).recovery.title.replaceAll('\u00ad', '')
  const file = `${visit.app}: ${name}\n\n${codes.join('\n')}\n`
  return {
    title: texts.title,
    formAction,
    script: 'codes',
    content: (
      <>
        {done !== undefined && (
          <Notice kind="done">
            <p>{done}</p>
          </Notice>
        )}
        <p>{texts.text}</p>
        <ol class="codes">
          {codes.map((code) => (
            <li key={code}>
              <code>{code}</code>
            </li>
          ))}
        </ol>
        <div class="tools">
          <a
            class="button plain"
            href={`data:text/plain;charset=utf-8,${encodeURIComponent(file)}`}
            download={`${texts.file}.txt`}
          >
            {texts.download}
          </a>
          <div class="tools" hidden data-copied={texts.copied}>
            <button type="button" class="plain">
              {texts.copy}
            </button>
            <button type="button" class="plain">
              {texts.print}
            </button>
          </div>
        </div>
        <p class="hint" role="status" />
        <form method="get" action={visit.link(next.path)}>
          {Object.entries(next.query).map(([name, value]) => (
            <input key={name} type="hidden" name={name} value={value} />
          ))}
          <p class="check">
            <input type="checkbox" id="saved" required />
            <label for="saved">{texts.saved}</label>
          </p>
          <button type="submit">{texts.button}</button>
        </form>
      </>
    ),
  }
}
