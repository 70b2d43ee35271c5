namespace MailCluster.Net;

/// <summary>
/// Runs session code on the event loop without letting it notice. DotNetty's loop is itself a task with a scheduler of its own, which every await in code that it calls would
/// capture, so that all its later work, however long, would come back to the loop; and an AsyncLocal that such code sets would stay for the loop's other connections.
/// Inside a task of the default scheduler, run in place, neither happens.
/// </summary>
internal static class EventLoopTask
{
    public static void Run(Action<object?> action, object state)
    {
        var task = new Task(action, state);
        task.RunSynchronously(TaskScheduler.Default);
        task.GetAwaiter().GetResult();
    }
}
