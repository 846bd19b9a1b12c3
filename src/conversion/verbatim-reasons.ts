/** Why a picture stays as it was uploaded: every reason, and the sentence that reports give for it. */
export const VERBATIM_REASONS = {
  'not-a-png': 'The file is no PNG.',
  'broken-png': 'The PNG is damaged, outside the standard, or larger than the limits allow.',
  'too-large': 'The picture has more pixels than limits.imagePixels allows.',
  'too-small': 'A side of the picture is too short for its fidelity to be measured.',
  animated: 'The PNG is animated (APNG): a latent holds one picture.',
  'sixteen-bit': 'The samples have 16 bits: a decoder gives 8.',
  palette: 'The PNG has a palette, which a decoded picture would not keep.',
  grey: 'The PNG is grey, and a decoder gives colour.',
  transparency: 'The picture is not opaque everywhere, and a latent holds no alpha.',
  'stealth-payload': 'The lowest bits of the pixels hide metadata (NovelAI), which a VAE would destroy.',
  'content-credentials': 'The PNG carries signed content credentials (C2PA), which no longer hold for other bytes.',
  'depends-on-alpha': 'A chunk of the PNG describes its alpha samples, which a latent does not keep.',
  'trailing-data': 'There are bytes behind the end of the PNG, which a latent would not keep.',
  'no-encoder': 'None of the models to try has an encoder that runs here.',
  'under-floor': 'No latent found within the budget decodes to a picture as near as the floors on PSNR and SSIM ask.',
  'no-saving': 'The latent is not smaller than the PNG by the configured share.',
  'size-would-change': 'The rendered PNG does not fit into the uploaded length, and the policy keeps lengths.',
} as const satisfies Readonly<Record<string, string>>;

export type VerbatimReason = keyof typeof VERBATIM_REASONS;
