import type { ComponentChildren } from 'preact'
import type { Saying } from './texts/text.ts'

export interface NoticeProps {
  /** `problem` is read out at once and has the focus when the page appears. `done` tells of a success. */
  kind: 'problem' | 'warning' | 'done'
  children: ComponentChildren
}

export const Notice = ({ kind, children }: NoticeProps) =>
  kind === 'problem' ? (
    // A screen reader reads an alert only when it changes. On a new page, the focus makes it read the alert.
    <div class="notice problem" role="alert" tabIndex={-1} autofocus>
      {children}
    </div>
  ) : (
    <div class={`notice ${kind}`}>{children}</div>
  )

/** The notice above a refused form. `says` is undefined when the form was not refused, or a field shows the error. */
export const ProblemNotice = ({ says }: { says: Saying | undefined }) =>
  says && (
    <Notice kind="problem">
      <p>
        <strong>{says.title}</strong>
      </p>
      <p>{says.text}</p>
    </Notice>
  )
