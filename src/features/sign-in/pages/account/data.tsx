import { Form } from '../../../../pages/form.tsx'
import type { View, Visit } from '../../../../pages/pages.tsx'
import { type AccountShown, ConfirmField, mustProveAgain, noticeOf, ProveAgain, pageBelow, textsOf } from './parts.tsx'

/** The button with which people get all that is stored about them. */
export function exportView(visit: Visit, shown: AccountShown): View {
  const { title, effect, button } = textsOf(visit).export
  return pageBelow(visit, {
    title,
    problem: noticeOf(shown.problem, false),
    children: (
      <>
        <p>{effect}</p>
        {mustProveAgain(shown) ? (
          <ProveAgain visit={visit} shown={shown} />
        ) : (
          <Form action={visit.link('/account/export')} hidden={shown.hidden} button={button}>
            <ConfirmField visit={visit} shown={shown} />
          </Form>
        )}
      </>
    ),
  })
}

/** The button that deletes the account. */
export function deleteView(visit: Visit, shown: AccountShown): View {
  const { title, effect, button, lastAdmin } = textsOf(visit).delete
  const isLast = shown.problem?.code === 'last_admin'
  return pageBelow(visit, {
    title,
    problem: isLast ? { title, text: lastAdmin } : noticeOf(shown.problem, false),
    children: (
      <>
        <p>{effect}</p>
        {mustProveAgain(shown) ? (
          <ProveAgain visit={visit} shown={shown} />
        ) : (
          <Form action={visit.link('/account/delete')} hidden={shown.hidden} button={button} look="danger">
            <ConfirmField visit={visit} shown={shown} />
          </Form>
        )}
      </>
    ),
  })
}

/** The page after the deletion. */
export function deletedView(visit: Visit): View {
  const { title, text } = textsOf(visit).delete.done
  return { title, content: <p>{text}</p> }
}
