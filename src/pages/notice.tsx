import type { ComponentChildren } from 'preact'
import type { Saying } from './texts/text.ts'

export interface NoticeProps {
  /** `problem` is read out at once and has the focus when the page appears. */
  kind: 'problem' | 'warning'
  children: ComponentChildren
}

/** A box that stands out of the text. */
export const Notice = ({ kind, children }: NoticeProps) =>
  kind === 'problem' ? (
    // A screen reader reads an alert only when it changes. Here the page is new, so the focus brings the reader to it.
    <div class="notice problem" role="alert" tabIndex={-1} autofocus>
      {children}
    </div>
  ) : (
    <div class="notice warning">{children}</div>
  )

/** Says above a form why it was refused; nothing when the error belongs to a field. */
export const ProblemNotice = ({ says }: { says: Saying | undefined }) =>
  says && (
    <Notice kind="problem">
      <p>
        <strong>{says.title}</strong>
      </p>
      <p>{says.text}</p>
    </Notice>
  )
