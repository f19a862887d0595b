import type { OpenIdTexts } from './text.ts'

export const ja: OpenIdTexts = {
  refused: {
    request: {
      title: 'ログインの要求を読み取れません',
      text: 'アプリに戻り、もう一度やり直してください。解決しない場合は、アプリの運営者に連絡してください。',
    },
    client: {
      title: 'このアプリは登録されていません',
      text: '削除または無効にされた可能性があります。アプリの運営者に連絡してください。',
    },
    redirect_uri: {
      title: 'このアプリはこのアドレスでは使えません',
      text: '登録されていないアドレスに戻ろうとしました。アプリの運営者に連絡してください。',
    },
  },
  stale: {
    title: 'この要求は期限切れです',
    text: 'アプリに戻り、もう一度やり直してください。',
  },
  requestId: (id) => `運営者向け：要求 ${id}`,
  consent: {
    title: (client) => `${client} に進みますか？`,
    account: (username) => `${username} としてログインしています。`,
    intro: (client) => `${client} は次のことを求めています。`,
    scopes: {
      openid: 'あなたであることの確認',
      profile: '名前とユーザー名の表示',
      email: 'メールアドレスの表示',
      groups: 'ロールの表示',
      offline_access: 'ここでログアウトした後もログインしたままにすること',
    },
    otherScope: (scope) => `「${scope}」の利用`,
    goesTo: (address) => `次に ${address} へ移動します。`,
    unvouched:
      'これはお使いの端末上のプログラムです。名前は確認できません。ご自身で起動した場合にのみ許可してください。',
    allow: '許可する',
    deny: '許可しない',
    otherAccount: '別のアカウントを使う',
  },
  handOver: {
    title: 'まもなく完了します',
    text: (client) => `${client} に進みます。`,
    button: '続ける',
  },
  logout: {
    title: 'ログアウトしますか？',
    account: (username) => `${username} としてログインしています。`,
    by: (client) => `${client} が求めています。このブラウザーでログインしている他のアプリからもログアウトします。`,
    button: 'ログアウト',
    done: { title: 'ログアウトしました', text: 'このページを閉じてかまいません。' },
  },
  device: {
    title: '機器でログインする',
    intro: '機器に表示されているコードを入力してください。',
    code: 'コード',
    next: '続ける',
    wrong: 'コードが正しくないか、期限切れです。機器の表示をもう一度確認してください。',
    ask: (client) => `機器で ${client} にログインしますか？`,
    warning:
      '機器が目の前にある場合にのみ許可してください。誰かからこのコードが送られてきた場合は、許可しないでください。',
    asked: (ip, ago) => `機器からの要求は${ago}、アドレス ${ip} からでした。`,
    allowed: { title: '機器でログインしました', text: '機器を確認してください。このページを閉じてかまいません。' },
    denied: { title: '機器を拒否しました', text: '機器はアクセスできません。このページを閉じてかまいません。' },
  },
}
