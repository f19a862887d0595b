import type { ComponentChildren } from 'preact'

export interface FormProps {
  /** The page that takes the form, as `Visit.link` returns it. No query: its token would stay in the history. */
  action: string
  /** Values that the form sends along, such as a token. */
  hidden?: Record<string, string>
  button: string
  /** What a screen reader says at the button, where its text alone is unclear. */
  buttonLabel?: string
  /** What stands between the fields and the button. */
  below?: ComponentChildren
  /** `danger`: the button does something that cannot be undone. `plain`: a less important button. */
  look?: 'danger' | 'plain'
  children?: ComponentChildren
}

/**
 * A form that is sent by POST. The service checks the fields, so that errors appear in the language of the page:
 * the browser's own checks would show errors in the language of the browser.
 */
export const Form = ({ action, hidden = {}, button, buttonLabel, below, look, children }: FormProps) => (
  <form method="post" action={action} noValidate>
    {Object.entries(hidden).map(([name, value]) => (
      <input key={name} type="hidden" name={name} value={value} />
    ))}
    {children}
    {below}
    <button type="submit" class={look} aria-label={buttonLabel}>
      {button}
    </button>
  </form>
)
