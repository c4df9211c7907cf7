import { proxySinks, type Sinks, type WorkflowInterceptors } from '@temporalio/workflow';

/** What a replayed workflow asks of its activities. */
export interface ReportSinks extends Sinks {
  readonly report: { scheduled(activityType: string, args: readonly unknown[]): void };
}

const { report } = proxySinks<ReportSinks>();

/** Temporal's own replay compares the types of commands alone; this tells what is in them. */
export const interceptors = (): WorkflowInterceptors => ({
  outbound: [
    {
      scheduleActivity(input, next) {
        report.scheduled(input.activityType, input.args);
        return next(input);
      },
    },
  ],
});
