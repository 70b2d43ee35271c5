using System.CommandLine;

var root = new RootCommand("The consistency checker: many clients, faults, and a history of all that they were told.");
return await root.Parse(args).InvokeAsync();
