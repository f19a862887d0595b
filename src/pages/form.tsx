import type { ComponentChildren } from 'preact'

export interface FormProps {
  /** The page that takes the form, as `Visit.link` returns it. No query: its token would stay in the history. */
  action: string
  /** Values that the form sends along, such as a token. */
  hidden?: Record<string, string>
  button: string
  children?: ComponentChildren
}

/**
 * A form that is sent by POST. The service checks the fields, so that errors appear in the language of the page:
 * the browser's own checks would show errors in the language of the browser.
 */
export const Form = ({ action, hidden = {}, button, children }: FormProps) => (
  <form method="post" action={action} noValidate>
    {Object.entries(hidden).map(([name, value]) => (
      <input key={name} type="hidden" name={name} value={value} />
    ))}
    {children}
    <button type="submit">{button}</button>
  </form>
)
