import type { KitTexts } from './text.ts'

export const ja: KitTexts = {
  support: { before: 'ご不明な点は ', after: ' までお問い合わせください。' },
  titleWithError: (title) => `エラー：${title}`,
  toApp: (app) => `${app} に進む`,
  again: 'もう一度試す',
  waitFor: (when) => `何も変更されていません。${when}にもう一度お試しください。`,
  problems: {
    bad_request: {
      title: 'リクエストを読み取れませんでした',
      text: '前のページに戻り、フォームをもう一度送信してください。',
    },
    bad_address: {
      title: 'リクエストを読み取れませんでした',
      text: 'アドレスを確認するか、メールのリンクをもう一度開いてください。',
    },
    csrf_refused: {
      title: 'このページから送信されたフォームではありません',
      text: '安全のため、何も変更されていません。ページを開き直し、そこからフォームを送信してください。',
    },
    not_found: {
      title: 'ページが見つかりません',
      text: 'アドレスを確認するか、メールのリンクをもう一度開いてください。',
    },
    rate_limited: { title: '試行回数が多すぎます', text: '何も変更されていません。' },
    busy: {
      title: 'サービスが混み合っています',
      text: '何も変更されていません。しばらくしてからもう一度お試しください。',
    },
    mail_not_configured: {
      title: 'このサービスはメールを送信できません',
      text: 'サービスの運営者にお問い合わせください。',
    },
    internal: {
      title: 'エラーが発生しました',
      text: 'サービス側のエラーで、記録されました。しばらくしてからもう一度お試しください。',
    },
  },
  newPassword: {
    label: '新しいパスワード',
    hint: (minLength) => `${minLength}文字以上。互いに関係のない単語をいくつか並べるとよいでしょう。`,
    errors: {
      malformed: () => 'この文字列はパスワードに使えません。別のものを入力してください。',
      too_long: () => 'パスワードは256文字以内で入力してください。',
      too_short: (minLength) => `パスワードは${minLength}文字以上で入力してください。`,
      common: () => '多くの人が使っているパスワードです。別のものを入力してください。',
      pattern: () => '推測されやすいパスワードです。別のものを入力してください。',
      own_name: () => 'ユーザー名やメールアドレスはパスワードに使えません。',
      service_name: () => 'サービスの名前はパスワードに使えません。',
    },
    refused: 'このパスワードは使えません。別のものを入力してください。',
  },
}
