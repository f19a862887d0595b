/** Explanations by error code of the operating system: what is wrong, and what to do. */
const system: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ENOENT: 'there is no such file or folder; correct the path, or create the folder',
    ENOTDIR: 'a part of the path is a file; correct the path',
    EISDIR: 'it is a folder; name a file',
    EACCES: 'no permission; give it to the user of this process (chown, chmod)',
    EPERM:
      'the system does not permit it; look for another owner, an immutable flag (lsattr) or a restriction of the container or of systemd',
    EROFS: 'the file system is read-only; use a folder on a writable one, or mount this one writable',
    ENOSPC: 'the disk is full; free space',
    EDQUOT: 'the disk quota of this user is used up; free space, or raise the quota',
    EFBIG: 'the file would become larger than allowed; raise the limit (ulimit -f)',
    EMFILE: 'this process has too many open files; raise the limit (ulimit -n, LimitNOFILE= of systemd)',
    ENFILE: 'the system has too many open files; raise the limit (sysctl fs.file-max)',
    EIO: 'the disk reports an error; look at the log of the system',
    ENOMEM: 'memory is used up; end other programs, or raise the limit of the container',
  }),
)

/**
 * Explains an error code of the operating system, such as `EROFS`: what is wrong, and what to do. The text is a clause
 * that follows a colon, and does not repeat the code.
 */
export const systemReason = (code: unknown): string => system.get(String(code)) ?? 'the system refuses it'

const FILE = 'The file in DATABASE_URL'
const SERVER = 'PostgreSQL at DATABASE_URL'

/** Explanations by code: the codes of SQLite and of the PostgreSQL driver, and the SQLSTATEs of PostgreSQL. */
const database: readonly [codes: RegExp, sentence: string][] = [
  [/^DATABASE_FILE_GONE$/, `${FILE} was removed or replaced; move it back, or restart Keyward`],
  [/^SQLITE_NOTADB/, `${FILE} is not an SQLite database; name another file`],
  [/^SQLITE_CORRUPT/, `${FILE} is damaged; restore a backup`],
  [/^SQLITE_CANTOPEN/, `${FILE} cannot be opened; look at its folder, the permissions and the limit of open files`],
  [
    /^SQLITE_READONLY_DIRECTORY/,
    `${FILE} is in a folder without write permission; give it to the user of this process (chown, chmod)`,
  ],
  [
    /^SQLITE_(READONLY|PERM)/,
    `${FILE} cannot be written; look at the permissions of file and folder, and whether the file system is read-only`,
  ],
  [/^SQLITE_FULL/, `${FILE} cannot grow: the disk is full; free space`],
  [
    /^SQLITE_IOERR/,
    `${FILE} cannot be read or written; look at the disk, its quota, the limit of file sizes and the log of the system`,
  ],
  [/^SQLITE_(BUSY|LOCKED)/, `${FILE} is locked by another process; try again`],
  [/^SQLITE_NOMEM/, `${FILE} cannot be read: memory is used up; raise the limit, or lower SQLITE_CACHE_MB`],
  [/^28/, `${SERVER} refuses this user and password`],
  [/^3D000$/, `${SERVER} has no database of this name; create it first`],
  [/^42501$/, `${SERVER} does not allow this user to create tables; grant it CREATE on the schema`],
  [/^25006$/, `${SERVER} takes no writes: it is a standby, or this user is read-only; use the address of the primary`],
  [
    /^08P01$/,
    `${SERVER} is behind a pooler that refuses a parameter in the query of DATABASE_URL; remove it, or name it in the pooler's ignore_startup_parameters`,
  ],
  [/^3F000$/, `${SERVER} has no schema to create tables in; create the schema that search_path names`],
  [/^(22023|42704)$/, `${SERVER} does not take a parameter in the query of DATABASE_URL; correct or remove it`],
  [
    /^ERR_POSTGRES_CHANNEL_BINDING/,
    `${SERVER} is asked for channel_binding=require; use sslmode=verify-full, or remove it`,
  ],
  [/^53100$/, `${SERVER} has no space on its disk; free space there`],
  [/^(53|57P)/, `${SERVER} accepts no more connections at the moment, or is stopping`],
  [/^ERR_POSTGRES_(CONNECTION|IDLE|LIFETIME)|^ECONN/, `${SERVER} does not answer; is it running?`],
  [/ALTNAME|^HOSTNAME_MISMATCH/, `${SERVER} has a certificate for another host`],
  [/^CERT_(HAS_EXPIRED|NOT_YET_VALID)/, `${SERVER} has a certificate that is not valid today`],
  [
    /CERT|^UNABLE_TO_|^INVALID_(CA|PURPOSE)$/,
    `${SERVER} has a certificate that does not verify; name the file of its CA with sslrootcert`,
  ],
  [/^ERR_(POSTGRES_TLS|TLS|SSL)/, `${SERVER} does not agree on TLS`],
]

/**
 * Explains a database error: what is wrong, and what to do. The explanation comes from the codes and never from the
 * message, because drivers put parameters into messages.
 * @param codes the code of the driver first, then the SQLSTATE, which the PostgreSQL driver puts into `errno`
 * @returns a sentence with the code, without a full stop; undefined when no code is known
 */
export function databaseReason(codes: readonly unknown[]): string | undefined {
  for (const code of codes.map(String)) {
    const [, sentence] = database.find(([known]) => known.test(code)) ?? []
    if (sentence !== undefined) return `${sentence} (${code})`
  }
}

/** As `databaseReason`, but also explains codes of the operating system. */
export const reasonOf = (codes: readonly unknown[]): string | undefined =>
  databaseReason(codes) ?? codes.map((code) => system.get(String(code))).find((reason) => reason !== undefined)
