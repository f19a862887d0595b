import type { ComponentChildren } from 'preact'

export interface FormProps {
  /** The page that takes the form, as `Visit.link` returns it. No query: its token would stay in the history. */
  action: string
  /** Values that the form sends along, such as a token. */
  hidden?: Record<string, string>
  button: string
  /** What stands between the fields and the button. */
  below?: ComponentChildren
  /** True when the button does something that cannot be undone. */
  isDanger?: boolean | undefined
  /** True beside a more likely button. */
  isQuiet?: boolean | undefined
  children?: ComponentChildren
}

/**
 * A form that is sent by POST. The service checks the fields, so that errors appear in the language of the page:
 * the browser's own checks would show errors in the language of the browser.
 */
export const Form = ({ action, hidden = {}, button, below, isDanger, isQuiet, children }: FormProps) => (
  <form method="post" action={action} noValidate>
    {Object.entries(hidden).map(([name, value]) => (
      <input key={name} type="hidden" name={name} value={value} />
    ))}
    {children}
    {below}
    <button type="submit" class={isDanger ? 'danger' : isQuiet ? 'quiet' : undefined}>
      {button}
    </button>
  </form>
)
