export interface FieldProps {
  name: string
  label: string
  /** The purpose of the field (HTML standard section 4.10.18.7), by which browsers and password managers fill it in. */
  autocomplete:
    | 'email'
    | 'username'
    | 'username webauthn'
    | 'one-time-code'
    | 'current-password'
    | 'new-password'
    | 'name'
    | 'off'
  /** A sentence below the label. */
  hint?: string | undefined
  /** Why the field is refused. */
  error?: string | undefined
  /** What was typed before; never a password. */
  value?: string | undefined
  /** True when the field has the focus as soon as the page appears: the first field with an error. */
  focus?: boolean | undefined
  /** `name` by default. Needed when two forms of a page have fields with the same name. */
  id?: string | undefined
}

/** A field with its label, its hint and its error, which screen readers read with the field. */
export function Field({ name, label, autocomplete, hint, error, value, focus, id = name }: FieldProps) {
  const isPassword = autocomplete.endsWith('password')
  const isName = autocomplete === 'name'
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  const common = {
    id,
    name,
    autocomplete,
    autocapitalize: isName ? 'words' : 'none',
    spellcheck: false,
    required: isName ? undefined : true,
    'aria-describedby': described || undefined,
    'aria-invalid': error ? 'true' : undefined,
    autofocus: focus,
  } as const
  return (
    <div class={error ? 'field invalid' : 'field'}>
      <label for={id}>{label}</label>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="error" id={`${id}-error`}>
          {error}
        </p>
      )}
      {isPassword ? (
        <input type="password" {...common} />
      ) : (
        // The type is not "email": browsers rewrite such an address if its domain has non-ASCII letters.
        <input type="text" {...common} value={value} inputMode={inputModes[autocomplete]} />
      )}
    </div>
  )
}

export interface CheckboxProps {
  name: string
  label: string
  checked?: boolean | undefined
}

/** A box that sends `on` when it is checked, and nothing otherwise. */
export const Checkbox = ({ name, label, checked }: CheckboxProps) => (
  <p class="check">
    <input type="checkbox" id={name} name={name} checked={checked} />
    <label for={name}>{label}</label>
  </p>
)

/** The keyboard of a phone. */
const inputModes: Partial<Record<FieldProps['autocomplete'], 'email' | 'numeric'>> = {
  email: 'email',
  'one-time-code': 'numeric',
}

export interface SelectProps {
  name: string
  label: string
  /** The value, the text and the language of each choice. */
  choices: readonly { value: string; text: string; lang?: string }[]
  /** The value that is chosen. */
  value: string
}

/** A field with a few choices. */
export const Select = ({ name, label, choices, value }: SelectProps) => (
  <div class="field">
    <label for={name}>{label}</label>
    <select id={name} name={name}>
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value} lang={choice.lang} selected={choice.value === value}>
          {choice.text}
        </option>
      ))}
    </select>
  </div>
)

/** The username of the account beside a password field: a password manager stores the password under this name. */
export const HiddenUsername = ({ username }: { username: string }) => (
  <input type="text" autocomplete="username" value={username} readOnly hidden />
)
