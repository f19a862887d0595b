import { Form } from '../../../pages/form.tsx'
import { ProblemNotice } from '../../../pages/notice.tsx'
import type { FormProblem, View, Visit } from '../../../pages/pages.tsx'
import { Account, deadView, doneView } from '../../../pages/parts.tsx'
import { textsFor } from './texts/texts.ts'

/** The data that the page shows besides its texts. */
export interface AddressShown {
  /** The account, and the address that it gets; undefined when the link does not work. */
  found: { user: { email: string }; address: string } | undefined
  problem?: FormProblem | undefined
}

/** The form of a link that changes the address of an account: `confirm` to a new one, `undo` back to the former one. */
export function addressView(visit: Visit, page: 'confirm' | 'undo', { found, problem }: AddressShown): View {
  const texts = textsFor(visit)[page]
  if (!found) return deadView(texts.dead)
  const isTaken = problem?.code === 'email_taken'
  return {
    title: texts.title,
    content: (
      <>
        <ProblemNotice says={isTaken ? textsFor(visit).confirm.taken : problem?.notice} />
        <Account text={texts.account} email={found.user.email} beside={found.address} />
        <Account text={texts.next} email={found.address} beside={found.user.email} />
        <p>{texts.effect}</p>
        <Form action={visit.link(`/${page}`)} hidden={{ token: visit.input.token ?? '' }} button={texts.button} />
      </>
    ),
  }
}

export const addressDone = (visit: Visit, page: 'confirm' | 'undo'): View => doneView(visit, textsFor(visit)[page].done)
