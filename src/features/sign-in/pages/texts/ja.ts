import type { SignInTexts } from './text.ts'

export const ja: SignInTexts = {
  logIn: {
    title: 'ログイン',
    toClient: (client) => `${client} に進むには、ログインしてください。`,
    again: '続けるには、もう一度パスワードを入力してください。',
    identifier: 'ユーザー名またはメールアドレス',
    password: 'パスワード',
    remember: 'この端末でログインしたままにする',
    button: 'ログインする',
    wrong: {
      title: 'ユーザー名またはパスワードが正しくありません',
      text: '両方を確認して、もう一度お試しください。',
    },
    missingIdentifier: 'ユーザー名またはメールアドレスを入力してください。',
    missingPassword: 'パスワードを入力してください。',
    forgot: 'パスワードを忘れた場合',
    register: 'アカウントを作成する',
    dead: {
      title: 'このログインは期限切れです',
      text: '時間がたちすぎたか、別のブラウザーで始められました。ブラウザーでこのページのCookieを許可してください。',
      button: 'もう一度始める',
    },
  },
  logOut: {
    title: 'ログアウト',
    text: 'このブラウザーでログインしています。',
    button: 'ログアウトする',
    done: { title: 'ログアウトしました', text: 'このブラウザーはログインしていません。' },
    again: 'ログイン',
  },
}
