import { Field } from '../../../pages/field.tsx'
import { Form } from '../../../pages/form.tsx'
import { ProblemNotice } from '../../../pages/notice.tsx'
import type { FormProblem, View, Visit } from '../../../pages/pages.tsx'
import { textsFor } from './texts/texts.ts'

/** The form to ask for a link; with the parameter `sent`, the page after the form was sent. */
export function forgotView(visit: Visit, problem?: FormProblem): View {
  const { title, intro, email, button, invalidEmail, sent, again } = textsFor(visit).forgot
  if ('sent' in visit.input)
    return {
      title: sent.title,
      content: (
        <>
          <p>{sent.text}</p>
          <p>
            <a href={visit.link('/forgot')}>{again}</a>
          </p>
        </>
      ),
    }
  const isRefused = problem !== undefined && problem.errors.length > 0
  return {
    title,
    content: (
      <>
        <ProblemNotice says={problem?.notice} />
        <p>{intro}</p>
        <Form action={visit.link('/forgot')} button={button}>
          <Field
            name="email"
            label={email}
            autocomplete="email"
            value={problem && visit.input.email}
            error={isRefused ? invalidEmail : undefined}
            focus={isRefused}
          />
        </Form>
      </>
    ),
  }
}
