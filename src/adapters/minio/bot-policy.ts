/** What a bot's keys allow: its own part of two buckets and nothing else (feature I2). Pure. */

const OBJECT = [
  's3:GetObject',
  's3:PutObject',
  's3:DeleteObject',
  's3:AbortMultipartUpload',
  's3:ListMultipartUploadParts',
];

/** In a policy these stand for other texts, and not every server lets them be escaped: no keys for such a bot alone. */
export const cannotBeScoped = (botId: string): boolean => /[*?]|\$\{/.test(botId);

/** Of one bot's part of one bucket. */
const statements = (bucket: string, prefix: string, actions: readonly string[]) => [
  { Effect: 'Allow', Action: actions, Resource: [`arn:aws:s3:::${bucket}/${prefix}*`] },
  {
    Effect: 'Allow',
    Action: ['s3:ListBucket'],
    Resource: [`arn:aws:s3:::${bucket}`],
    Condition: { StringLike: { 's3:prefix': [`${prefix}*`] } },
  },
  { Effect: 'Allow', Action: ['s3:GetBucketLocation'], Resource: [`arn:aws:s3:::${bucket}`] },
];

const policyOf = (statement: readonly object[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: statement });

/** As the text that AssumeRole takes. Only for an id that {@link cannotBeScoped} lets pass. */
export const botPolicy = (botId: string, buckets: { readonly state: string; readonly logs: string }): string =>
  policyOf([...statements(buckets.state, `${botId}/`, OBJECT), ...statements(buckets.logs, `logs/${botId}/`, OBJECT)]);

/** The same for a query: it reads the bot's states and nothing else. */
export const readPolicy = (botId: string, buckets: { readonly state: string }): string =>
  policyOf(statements(buckets.state, `${botId}/`, ['s3:GetObject']));
