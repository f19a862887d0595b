import { type ErrorCode, type ErrorDetail, KeywardError } from '../../errors.ts'
import { problemResponse } from '../errors.ts'

/** A problem as a client meets it, for the document. */
export interface ProblemExample {
  code: ErrorCode
  status: number
  body: unknown
}

/** What a route of this kind really answers for a code: made by the function that answers. */
export async function problemExample(code: ErrorCode, oauth: boolean): Promise<ProblemExample> {
  const response = problemResponse(new KeywardError(code, details[code]), oauth)
  return { code, status: response.status, body: await response.json() }
}

const details: Partial<Record<ErrorCode, ErrorDetail>> = {
  validation_failed: { errors: [{ field: 'email', message: 'This is not an email address' }] },
}

/** What the guard answers before a route is reached. */
export function guardCodes(access: string, oauth: boolean): ErrorCode[] {
  if (access === 'open') return oauth ? ['invalid_client'] : []
  const refusals: ErrorCode[] = ['not_authenticated', 'invalid_token']
  return access.includes(':') ? [...refusals, 'forbidden'] : refusals
}
