using System.Diagnostics;

namespace AiWorkflows.Benchmarks;

/// <summary>Processor time of all threads of this process.</summary>
internal static class ProcessorTime
{
    public static double Seconds
    {
        get
        {
            using var self = Process.GetCurrentProcess();
            return self.TotalProcessorTime.TotalSeconds;
        }
    }
}
