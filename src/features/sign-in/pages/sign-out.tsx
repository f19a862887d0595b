import { Form } from '../../../pages/form.tsx'
import type { View, Visit } from '../../../pages/pages.tsx'
import { signInTexts } from './texts/texts.ts'

/** The question whether to log out. */
export function signOutView(visit: Visit, formToken: string): View {
  const { title, text, button } = signInTexts[visit.locale].logOut
  return {
    title,
    content: (
      <>
        <p>{text}</p>
        <Form action={visit.link('/sign-out')} hidden={{ form: formToken }} button={button} />
      </>
    ),
  }
}

/** The page of a browser that is not logged in any more. */
export function signedOutView(visit: Visit): View {
  const { done, again } = signInTexts[visit.locale].logOut
  return {
    title: done.title,
    content: (
      <>
        <p>{done.text}</p>
        <p>
          <a href={visit.link('/sign-in')}>{again}</a>
        </p>
      </>
    ),
  }
}
