/** Gives each inference to the least loaded device that can run it. */
import type { InferenceDevice, InferenceJob } from './device.js';
import type { Submitted } from './device-queue.js';
import { DeviceQueue } from './device-queue.js';
import { noDevice } from './errors.js';
import type { DecodeObserver } from './observer.js';
import type { DeviceStatus } from './pipeline-contract.js';

export class Dispatcher {
  readonly queues: readonly DeviceQueue[];

  constructor(devices: readonly InferenceDevice[], onRun?: DecodeObserver['onRun']) {
    this.queues = devices.map((device) => new DeviceQueue(device, onRun));
  }

  /** Jobs that all devices hold at once without waiting. */
  get capacity(): number {
    return this.queues.reduce((sum, { device }) => sum + device.capacity, 0);
  }

  /** Devices that may be given jobs of this graph now; one that is being restarted counts where no other is ready. */
  candidates({ model, graph }: Pick<InferenceJob, 'model' | 'graph'>): readonly DeviceQueue[] {
    const able = this.queues.filter(({ device }) => device.serves(model, graph));
    const ready = able.filter(({ device }) => device.state === 'ready');
    return ready.length > 0 ? ready : able.filter(({ device }) => device.state === 'restarting');
  }

  /** @throws S3Error ServiceUnavailable when no device can run it */
  submit(job: InferenceJob, signal: AbortSignal): Submitted {
    const [first, ...others] = this.candidates(job);
    if (first === undefined) throw noDevice(job.model);
    return others.reduce((best, queue) => (queue.load < best.load ? queue : best), first).submit(job, signal);
  }

  /** Whether every device that decodes this model takes float16 values where its graph takes float32. */
  widensHalf(model: string): boolean {
    const able = this.queues.filter(({ device }) => device.serves(model, 'decoder'));
    return able.every(({ device }) => device.widensHalf);
  }

  status(): DeviceStatus[] {
    return this.queues.map((queue) => {
      const { id, state, models, restarts, pid } = queue.device;
      const { queued, running, meanRunMs } = queue;
      const busyFraction = queue.busyFraction();
      const common = { id, state, models: [...models], queued, running, busyFraction, meanRunMs, restarts };
      return pid === undefined ? common : { ...common, pid };
    });
  }

  /** What the work that is queued now will take on the least loaded device, in milliseconds. */
  expectedWaitMs(): number {
    return Math.min(...this.queues.map((queue) => queue.load * queue.meanRunMs));
  }
}
