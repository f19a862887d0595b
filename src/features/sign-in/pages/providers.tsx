import type { Visit } from '../../../pages/pages.tsx'
import { signInTexts } from './texts/texts.ts'

/** Another service with which people can log in. */
export interface SocialProvider {
  name: string
  /** The name of the service as people know it. */
  label: string
}

/** The buttons that lead to other services, with the request that is to be continued. */
export function ProviderButtons(props: { visit: Visit; providers: readonly SocialProvider[]; sealed: string }) {
  const { visit, providers, sealed } = props
  if (providers.length === 0) return null
  return (
    <ul class="links providers">
      {providers.map(({ name, label }) => (
        <li key={name}>
          <a class="button plain" href={visit.link(`/social/${name}?request=${sealed}`)}>
            {signInTexts[visit.locale].logIn.withProvider(label)}
          </a>
        </li>
      ))}
    </ul>
  )
}
