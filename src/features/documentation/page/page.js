// The OpenAPI document contains the published address of the service. The page may be loaded from another address, such
// as 127.0.0.1 instead of localhost. Its security policy allows requests only to the origin of the page, so the page
// replaces the published address.
const here = new URL('.', location.href).href.replace(/\/$/, '')

const atThisAddress = (document) => {
  const published = document.servers[0].url
  const flow = document.components.securitySchemes.password.flows.password
  return {
    ...document,
    servers: [{ url: here }],
    components: {
      ...document.components,
      securitySchemes: {
        ...document.components.securitySchemes,
        password: {
          ...document.components.securitySchemes.password,
          flows: { password: { ...flow, tokenUrl: flow.tokenUrl.replace(published, here) } },
        },
      },
    },
  }
}

const moved = () => ({
  statePlugins: {
    spec: { wrapActions: { updateJsonSpec: (update) => (document) => update(document && atThisAddress(document)) } },
  },
})

// An empty optional form field is not sent, unless the user ticks "Send empty value".
const leftOut = () => ({
  wrapComponents: {
    ParameterIncludeEmpty:
      (Original, { React }) =>
      (props) =>
        React.createElement(Original, {
          ...props,
          isIncludedOptions: { ...props.isIncludedOptions, defaultValue: false },
        }),
  },
})

const dark = matchMedia('(prefers-color-scheme: dark)')
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', follow)
follow()

SwaggerUIBundle({
  dom_id: '#docs',
  url: 'openapi.json',
  plugins: [moved, leftOut],
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  docExpansion: 'list',
  persistAuthorization: false,
  validatorUrl: 'none',
})
