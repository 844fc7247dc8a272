/**
 * What the page about moving from the0 takes for granted: documents and archives as the API of the0 leaves them in MongoDB and
 * in the S3 server (at the addresses in the environment), and a container that its runner has left running.
 */
import { MongoClient } from 'mongodb';
import { Client } from 'minio';
import { buffer } from 'node:stream/consumers';
import { referenceDocument, referenceSchedule } from '../support/reference-document.ts';
import { docker, IMAGE, LOOPING, zipOf } from '../support/spine.ts';

const { MONGO_URI = '', MINIO_ENDPOINT = '', MINIO_ACCESS_KEY = '', MINIO_SECRET_KEY = '' } = process.env;
const [endPoint = '', port = ''] = MINIO_ENDPOINT.split(':');
const s3 = new Client({
  endPoint,
  port: Number(port),
  useSSL: false,
  accessKey: MINIO_ACCESS_KEY,
  secretKey: MINIO_SECRET_KEY,
});
const mongo = await new MongoClient(MONGO_URI).connect();

const bots = ['moved-momentum', 'moved-maker'];
const [, running = ''] = bots;
const schedule = 'moved-rebalance';
await s3.makeBucket('custom-bots');
for (const id of [...bots, schedule]) {
  const code = id === schedule ? `exports.main = async () => undefined;` : LOOPING;
  await s3.putObject('custom-bots', `test/${id}/1.0.0`, await buffer(zipOf({ 'main.js': code })));
}
await mongo
  .db('bot_runner')
  .collection('bots')
  .insertMany(bots.map((id) => referenceDocument(id)));
await mongo
  .db('bot_scheduler')
  .collection('bot_schedules')
  .insertOne(referenceSchedule(schedule, { schedule: '0 9 * * *', enabled: true }));
await mongo.close();

const container = await docker.createContainer({
  Image: IMAGE,
  Entrypoint: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done'],
  Cmd: [],
  Labels: {
    'runtime.managed': 'true',
    'runtime.id': running,
    'runtime.entrypoint': 'main.js',
    'runtime.type': 'realtime',
  },
  HostConfig: { NetworkMode: 'none', AutoRemove: true },
});
await container.start();
