using MailCluster.Server.Commands;

return await MainCommand.RunAsync(args);
