import type { Saying } from '../../../../pages/texts/text.ts'
import type { PageReason } from '../../authorization-request.ts'
import type { StandardScope } from '../../scopes.ts'

/** The texts of the pages of the OpenID provider, in one language. */
export interface OpenIdTexts {
  /** Requests that get a page and no redirect. */
  refused: Record<PageReason, Saying>
  /** The sealed request of a form is too old, or of another browser. */
  stale: Saying
  /** Stands below a refusal: the person who runs the application finds the request with it. */
  requestId: (id: string) => string
  consent: {
    title: (client: string) => string
    /** Names the account. */
    account: (username: string) => string
    /** Stands above the list of scopes. */
    intro: (client: string) => string
    scopes: Record<StandardScope, string>
    /** Another scope than the standard ones, which the client's own services know. */
    otherScope: (scope: string) => string
    /** Where the browser goes next. */
    goesTo: (address: string) => string
    /** A program on the device, whose name nobody has verified. */
    unvouched: string
    allow: string
    deny: string
    otherAccount: string
  }
  /** The page that sends the answer by POST (`response_mode=form_post`). */
  handOver: { title: string; text: (client: string) => string; button: string }
  /** The page that asks before a logout, and the page after it. */
  logout: {
    title: string
    account: (username: string) => string
    /** The application that asks for the logout. */
    by: (client: string) => string
    button: string
    done: Saying
  }
  /** The pages for a device without a browser. */
  device: {
    title: string
    intro: string
    code: string
    next: string
    wrong: string
    ask: (client: string) => string
    /** Somebody may have sent the code to get into the account. */
    warning: string
    /** @param ago such as "2 minutes ago" */
    asked: (ip: string, ago: string) => string
    allowed: Saying
    denied: Saying
  }
}
