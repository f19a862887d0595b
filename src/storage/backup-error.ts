/** A backup cannot be written or restored for a known reason. `message` says which, and what the operator can do. */
export class BackupError extends Error {
  override readonly name = 'BackupError'
}
