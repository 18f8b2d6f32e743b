import { Option } from 'commander';

/** One spelling of the option every command has. */
export function configOption(): Option {
  return new Option('--config <file>', 'the configuration file').default('proxy.config.yaml');
}
