/** The code of the refusal with which `work` ends; undefined when it succeeds. */
export const rejection = (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: { code?: string }) => error.code ?? String(error),
  )
